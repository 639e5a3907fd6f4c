/** What was measured of one agent: a value, and how far chance alone moves it (variance of its own sampling). */
export interface Unit {
  value: number;
  variance: number;
}

/** How far two groups are apart. */
export interface Difference {
  effect: number;
  /** Standard error. */
  error: number;
  /** Degrees of freedom of that error. */
  freedom: number;
}

/** P(Z > z) of the standard normal, also far out. Source: Press et al., Numerical Recipes, section 6.2, relative error 1.2e-7. */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ];
  const sum = terms.reduceRight((rest, term) => term + t * rest, 0);
  const tail = (t * Math.exp(-x * x + sum)) / 2;
  return z >= 0 ? tail : 1 - tail;
}

/** P(T > t) of Student's t. Source: Wallace 1959, an approximation by the normal that holds far out. */
export function studentTail(t: number, freedom: number): number {
  const z = Math.sqrt(freedom * Math.log1p((t * t) / freedom)) * ((8 * freedom + 1) / (8 * freedom + 3));
  return normalTail(Math.sign(t) * z);
}

/** What Student's t is as rarely above as the normal is above z: the inverse of Wallace's approximation. */
export function studentBound(z: number, freedom: number): number {
  const wide = (z * (8 * freedom + 3)) / (8 * freedom + 1);
  return Math.sqrt(freedom * Math.expm1((wide * wide) / freedom));
}

/** P(X ≥ count) of a binomial. */
export function binomialTail(count: number, trials: number, probability: number): number {
  if (count <= 0) return 1;
  let term = (1 - probability) ** trials;
  let below = 0;
  for (let at = 0; at < count; at += 1) {
    below += term;
    term *= ((trials - at) / (at + 1)) * (probability / (1 - probability));
  }
  // Far out the difference from one is noise: the tail's own terms are summed.
  if (below < 0.999) return 1 - below;
  let tail = 0;
  for (let at = count; at <= trials && term > 0; at += 1) {
    tail += term;
    term *= ((trials - at) / (at + 1)) * (probability / (1 - probability));
  }
  return Math.min(1, tail);
}

/** How agents differ beyond their own sampling. Source: DerSimonian and Laird 1986, the moment estimate of a random effect. */
export function spreadOf(units: readonly Unit[]): number {
  const weights = units.map(({ variance }) => 1 / variance);
  const total = sum(weights);
  const mean = sum(units.map(({ value }, at) => value * (weights[at] as number))) / total;
  const q = sum(units.map(({ value }, at) => (weights[at] as number) * (value - mean) ** 2));
  const scale = total - sum(weights.map((weight) => weight * weight)) / total;
  return scale > 0 ? Math.max(0, (q - (units.length - 1)) / scale) : 0;
}

const CLIPPED = 0.05;
/** What clipping a twentieth at either end of a normal takes from its variance. */
const CLIP_FACTOR = 1.24;

/**
 * Units whose outermost twentieth stands where the next one does: an agent that had a bad hour must not make all others look
 * as different from each other. Source: winsorizing, Tukey 1962.
 */
export function clipped(units: readonly Unit[]): Unit[] {
  const sorted = units.map(({ value }) => value).sort((a, b) => a - b);
  const at = Math.floor(units.length * CLIPPED);
  const [least, most] = [sorted[at] as number, sorted[units.length - 1 - at] as number];
  return units.map(({ value, variance }) => ({ value: Math.min(most, Math.max(least, value)), variance }));
}

/**
 * The difference of two groups of agents, each agent one observation however busy it is: what differs between agents counts as
 * chance, else a hundred thousand requests of three agents would look like proof.
 * @param leastSpread the standard deviation between agents that is taken for granted, so that luck with few does not look like certainty
 */
export function differenceOf(group: readonly Unit[], control: readonly Unit[], leastSpread: number): Difference {
  const steady = clipped(control);
  const spread = Math.max(leastSpread ** 2, spreadOf(steady) * CLIP_FACTOR);
  const [one, other] = [pooled(group, spread), pooled(steady, spread)];
  return {
    effect: one.mean - other.mean,
    error: Math.sqrt(one.variance + other.variance),
    freedom: Math.max(1, control.length - 1),
  };
}

function pooled(units: readonly Unit[], spread: number): { mean: number; variance: number } {
  let [weights, weighted] = [0, 0];
  for (const { value, variance } of units) {
    const weight = 1 / (variance + spread);
    weights += weight;
    weighted += weight * value;
  }
  return { mean: weighted / weights, variance: 1 / weights };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
