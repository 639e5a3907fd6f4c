import { type AgentEvidence, METRICS, type Metric } from './metrics.ts';
import { binomialTail, clipped, differenceOf, spreadOf, studentBound, studentTail, type Unit } from './statistics.ts';

/** What is compared: agents that run the new version, and those that do not. */
export interface Evidence {
  canary: readonly AgentEvidence[];
  control: readonly AgentEvidence[];
  /** The old version, on whomever it ran. */
  old: { beats: number; restarts: number };
}

export type Outcome = 'HARM' | 'PASS' | 'WAIT';

/** What one comparison came to, with its numbers. */
export interface Finding {
  metric: string;
  outcome: Outcome;
  /** How likely chance alone shows as much. */
  probability: number | null;
  sentence: string;
  /** Whether it is enough to speak against the version in the end, if nothing clears it until then. */
  isSuspect?: boolean;
}

export interface Verdict {
  outcome: Outcome;
  findings: Finding[];
}

/** How likely a version that is as good as the old one is reverted at all, over all looks and comparisons. */
const FALSE_ALARM = 1e-4;
/** How many standard errors a version must be away from the margin to pass: one in a thousand that is as bad passes. */
const CERTAIN_Z = 3.1;
/** Chance that the rest of the canary agents shows as much when the worst one is left out. */
const WITHOUT_WORST = 1e-4;
/** A restart rate of 0.35 a minute and agent shows itself in so many agent minutes, but once in a thousand. */
const AGENT_MINUTES = 20;
const LEAST_CONTROL = 3;
const COMPARISONS = METRICS.length + 2;

/** The half of the false alarms that is kept for the last word, when the stage's time is up. */
const LAST_WORD = FALSE_ALARM / 2 / COMPARISONS;

/**
 * What a look at the evidence may spend of the false alarms: all looks together spend no more than half of FALSE_ALARM, however many
 * there are, since 1/2 + 1/6 + 1/12 + … is 1. Source: alpha spending, as sequential trials do it.
 * @param look counts from 1
 */
export function allowance(look: number): number {
  return FALSE_ALARM / 2 / COMPARISONS / (look * (look + 1));
}

/**
 * Compares the agents on the new version with the others.
 * @param look how often this was looked at before, and this time
 * @param sensitivity 1; 2 lets differences pass that are twice as large
 * @param beatMs how far two beats are apart
 */
export function judge({ canary, control, old }: Evidence, look: number, sensitivity: number, beatMs: number): Verdict {
  const findings: Finding[] = [];
  if (control.length >= LEAST_CONTROL) {
    for (const metric of METRICS) findings.push(compare(metric, canary, control, look, sensitivity));
  }
  findings.push(restarts(canary, old, look, sensitivity, beatMs), alerts(canary, control, look));
  const outcome = (['HARM', 'WAIT', 'PASS'] as const).find((each) =>
    findings.some((finding) => finding.outcome === each),
  );
  return { outcome: outcome ?? 'WAIT', findings };
}

function compare(
  metric: Metric,
  canary: readonly AgentEvidence[],
  control: readonly AgentEvidence[],
  look: number,
  sensitivity: number,
): Finding {
  const { name } = metric;
  const noise = metric.noiseOf(control);
  const expected = expectationOf(metric, control, noise);
  const units: Units = {
    canary: unitsOf(metric, canary, noise, expected),
    control: unitsOf(metric, control, noise, expected),
  };
  if (units.control.length < LEAST_CONTROL) {
    // What they told before they will tell again: a stretch begins with silence.
    const isTold = control.some(({ before, after }) => before[metric.count] + after[metric.count] > 0);
    return quiet(name, isTold ? 'WAIT' : 'PASS', 'the others tell nothing to compare with');
  }
  if (!units.canary.length) return quiet(name, 'WAIT', 'the new version has told nothing yet');
  const difference = differenceOf(units.canary, units.control, metric.spread);
  const tolerance = metric.tolerance * sensitivity;
  const margin = metric.margin * sensitivity;
  const probability = studentTail((difference.effect - tolerance) / difference.error, difference.freedom);
  const bound = difference.effect + studentBound(CERTAIN_Z, difference.freedom) * difference.error;
  const isUnlikely = probability <= allowance(look);
  const isHarm = isUnlikely && holdsWithoutWorst(units, metric, tolerance);
  const outcome: Outcome = isHarm ? 'HARM' : bound <= margin ? 'PASS' : 'WAIT';
  const numbers = `${metric.shown(canary)} against ${metric.shown(control)}, ${metric.effect(difference.effect)}`;
  const reasons = {
    HARM: `chance shows as much with probability ${probability.toExponential(1)}, ${allowance(look).toExponential(1)} is allowed`,
    PASS: `at worst ${metric.effect(bound)}, which is less than ${metric.effect(margin)}`,
    WAIT: `it may still be ${metric.effect(bound)}; ${metric.effect(margin)} must not pass`,
  };
  const sentence = `${name}: ${numbers}: ${reasons[outcome]}`;
  return { metric: name, outcome, probability, sentence, isSuspect: probability <= LAST_WORD };
}

interface Units {
  canary: Unit[];
  control: Unit[];
}

/** What agents were before: their mean, and how they differed. */
interface Expectation {
  mean: number;
  spread: number;
}

function expectationOf(
  { unit, hasPast }: Metric,
  control: readonly AgentEvidence[],
  noise: number,
): Expectation | undefined {
  const units = hasPast ? clipped(control.flatMap(({ before }) => unit(before, noise) ?? [])) : [];
  if (units.length < LEAST_CONTROL) return undefined;
  return { mean: units.reduce((sum, { value }) => sum + value, 0) / units.length, spread: spreadOf(units) };
}

/**
 * Each agent against what was to be expected of it: what it was before, drawn towards the mean of all as far as its own past is
 * noise. Source: best linear prediction, as in Deng et al. 2013, with agents as the units.
 */
function unitsOf(
  { unit }: Metric,
  group: readonly AgentEvidence[],
  noise: number,
  expected: Expectation | undefined,
): Unit[] {
  return group.flatMap(({ before, after }) => {
    const now = unit(after, noise);
    if (!now || !expected) return now ?? [];
    const past = unit(before, noise);
    if (!past) return { value: now.value - expected.mean, variance: now.variance + expected.spread };
    const trust = expected.spread / (expected.spread + past.variance);
    const value = now.value - expected.mean - trust * (past.value - expected.mean);
    return { value, variance: now.variance + trust * past.variance };
  });
}

/** One agent that had bad luck is no bad version. */
function holdsWithoutWorst({ canary, control }: Units, { spread }: Metric, tolerance: number): boolean {
  if (canary.length < 3) return true;
  const rest = [...canary].sort((a, b) => a.value - b.value).slice(0, -1);
  const { effect, error, freedom } = differenceOf(rest, control, spread);
  return studentTail((effect - tolerance) / error, freedom) <= WITHOUT_WORST;
}

/** Agents that were restarted on the new version, against restarts on the old one, by the time they were watched: exact, given their number. */
function restarts(
  canary: readonly AgentEvidence[],
  old: Evidence['old'],
  look: number,
  sensitivity: number,
  beatMs: number,
): Finding {
  const minutes = (beats: number) => (beats * beatMs) / 60_000;
  const mine = canary.filter(({ after }) => after.restarts > 0).length;
  const others = old.restarts;
  const time = canary.reduce((sum, { after }) => sum + after.beats, 0);
  const otherTime = old.beats;
  // One restart that nobody saw is added to the others: without any, their rate is not zero.
  const share = time / Math.max(1, time + otherTime);
  const probability = mine ? binomialTail(mine, mine + others + 1, share) : 1;
  const isHarm = mine >= 2 && probability <= allowance(look);
  const isEnough = minutes(time) >= AGENT_MINUTES / sensitivity && probability > 0.001;
  const outcome: Outcome = isHarm ? 'HARM' : isEnough ? 'PASS' : 'WAIT';
  const sentence =
    `restarts: ${mine} agents in ${minutes(time).toFixed(1)} agent minutes against ${others} in ` +
    `${minutes(otherTime).toFixed(1)}: chance shows as much with probability ${probability.toExponential(1)}` +
    (outcome === 'WAIT' ? `; it takes ${(AGENT_MINUTES / sensitivity).toFixed(0)} agent minutes to pass` : '');
  return { metric: 'restarts', outcome, probability, sentence };
}

/** Agents about which an alert began to fire: harm when it cannot be chance, and never a pass while it fires. */
function alerts(canary: readonly AgentEvidence[], control: readonly AgentEvidence[], look: number): Finding {
  const known = (group: readonly AgentEvidence[]) => group.filter(({ isAlerting }) => isAlerting !== null);
  const firing = (group: readonly AgentEvidence[]) => group.filter(({ isAlerting }) => isAlerting).length;
  if (!known(canary).length) return quiet('alerts', 'WAIT', 'nobody can say whether any fire');
  const [mine, others] = [firing(canary), firing(control)];
  const share = canary.length / (canary.length + known(control).length);
  const probability = mine ? binomialTail(mine, mine + others + 1, share) : 1;
  const isHarm = mine >= 2 && probability <= allowance(look);
  const outcome: Outcome = isHarm ? 'HARM' : mine ? 'WAIT' : 'PASS';
  const sentence = `alerts: new ones about ${mine} of ${canary.length} agents against ${others} of ${control.length}`;
  return { metric: 'alerts', outcome, probability, sentence };
}

function quiet(metric: string, outcome: Outcome, sentence: string): Finding {
  return { metric, outcome, probability: null, sentence: `${metric}: ${sentence}` };
}
