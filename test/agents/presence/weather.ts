/** Chance by a seed (mulberry32): the same seed makes the same run. */
export class Chance {
  #state: number;
  #spare = Number.NaN;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** Of a normal distribution (Box and Muller). */
  normal(): number {
    const spare = this.#spare;
    this.#spare = Number.NaN;
    if (!Number.isNaN(spare)) return spare;
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const angle = 2 * Math.PI * this.next();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

const MEDIAN_MS = 15;
const SPREAD = 0.9;
const LOSS = 0.01;
const RETRANSMIT_MS = 200;
const MOST_LOSSES = 6;

/** How long a beat is on its way: lognormal, and for each packet that is lost TCP waits twice as long as before (RFC 6298). */
export function delayMs(chance: Chance): number {
  let lost = 0;
  while (lost < MOST_LOSSES && chance.next() < LOSS) lost += 1;
  return MEDIAN_MS * Math.exp(SPREAD * chance.normal()) + RETRANSMIT_MS * (2 ** lost - 1);
}

const PAUSE_CHANCE = 1e-4;
const LEAST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 3_000;
const PAUSE_TAIL = 1.5;

/** How much later than its time an agent beats: the jitter of its timer, and now and then a pause of its own (collection of garbage): Pareto, at most 3 s. */
export function lagMs(chance: Chance): number {
  const jitter = 10 * chance.next();
  if (chance.next() >= PAUSE_CHANCE) return jitter;
  return jitter + Math.min(MOST_PAUSE_MS, LEAST_PAUSE_MS / (1 - chance.next()) ** (1 / PAUSE_TAIL));
}
