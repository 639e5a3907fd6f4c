import { memoryLine, type Reading } from './evidence.ts';
import type { Unit } from './statistics.ts';

/** What is known of one agent: before anything was changed, and since it (or its group) was. */
export interface AgentEvidence {
  before: Reading;
  after: Reading;
  /** Whether an alert about it began to fire since; null while nobody could say. */
  isAlerting: boolean | null;
}

/** How one quantity is compared. Units are turned so that more is worse. */
export interface Metric {
  name: string;
  /** Worse by less than this is no harm. */
  tolerance: number;
  /** A version that is worse by this much must not pass. */
  margin: number;
  /** What agents differ by at least (standard deviation). */
  spread: number;
  /** What one stretch of an agent says; undefined when that is too little. @param noise variance of one beat, of `noiseOf` */
  unit(reading: Reading, noise: number): Unit | undefined;
  /** What counts how often it was told. */
  count: keyof Reading;
  /** Whether what an agent was before says what to expect of it. */
  hasPast: boolean;
  /** Variance of one beat around its agent's own mean, of the control's agents. */
  noiseOf(control: readonly AgentEvidence[]): number;
  /** A group's value, for people. */
  shown(group: readonly AgentEvidence[]): string;
  /** An effect, for people. */
  effect(effect: number): string;
}

const LEAST_REQUESTS = 10;
const LEAST_BEATS = 4;
const total = (group: readonly AgentEvidence[], field: keyof Reading) =>
  group.reduce((sum, { after }) => sum + after[field], 0);
const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
const times = (effect: number) => `× ${Math.exp(effect).toFixed(2)}`;

/** The arcsine of a share of failures, whose variance hardly depends on the share. Source: Anscombe 1948. */
const arcsine = ({ errors, requests }: Reading) => 2 * Math.asin(Math.sqrt((errors + 0.375) / (requests + 0.75)));

/** Variance within agents, of both stretches. */
function within(
  group: readonly AgentEvidence[],
  count: keyof Reading,
  sum: keyof Reading,
  squares: keyof Reading,
): number {
  let [around, freedom] = [0, 0];
  for (const { before, after } of group) {
    for (const reading of [before, after]) {
      if (reading[count] < 2) continue;
      around += Math.max(0, reading[squares] - reading[sum] ** 2 / reading[count]);
      freedom += reading[count] - 1;
    }
  }
  return freedom ? around / freedom : 0;
}

/** A mean of beats. */
function mean(reading: Reading, count: keyof Reading, sum: keyof Reading, noise: number): Unit | undefined {
  if (reading[count] < LEAST_BEATS) return undefined;
  return { value: reading[sum] / reading[count], variance: noise / reading[count] };
}

const errors: Metric = {
  name: 'errors',
  count: 'requests',
  tolerance: 0.02,
  margin: 0.08,
  spread: 0.015,
  hasPast: true,
  unit(reading) {
    if (reading.requests < LEAST_REQUESTS) return undefined;
    return { value: arcsine(reading), variance: 1 / (reading.requests + 0.75) };
  },
  noiseOf: () => 0,
  shown: (group) =>
    `${percent(total(group, 'errors') / Math.max(1, total(group, 'requests')))} of ${total(group, 'requests')} requests`,
  effect: (effect) => `${effect >= 0 ? '+' : ''}${effect.toFixed(3)} (arcsine)`,
};

const latency: Metric = {
  name: 'latency',
  count: 'latencies',
  tolerance: Math.log(1.03),
  margin: Math.log(1.25),
  spread: 0.03,
  hasPast: true,
  unit: (reading, noise) => mean(reading, 'latencies', 'latencySum', noise),
  noiseOf: (control) => within(control, 'latencies', 'latencySum', 'latencySquares') + 1e-4,
  shown: (group) => {
    const beats = total(group, 'latencies');
    return beats ? `${Math.exp(total(group, 'latencySum') / beats).toFixed(0)} ms` : 'unknown';
  },
  effect: times,
};

const throughput: Metric = {
  name: 'throughput',
  count: 'requests',
  tolerance: Math.log(1.3),
  margin: Math.log(2),
  spread: 0.08,
  hasPast: true,
  unit({ requests, beats }) {
    if (beats < LEAST_BEATS) return undefined;
    return { value: -Math.log((requests + 0.5) / beats), variance: 1 / (requests + 0.5) };
  },
  noiseOf: () => 0,
  shown: (group) => `${(total(group, 'requests') / Math.max(1, total(group, 'beats'))).toFixed(2)} requests a beat`,
  effect: (effect) => times(-effect),
};

const memory: Metric = {
  name: 'memory',
  count: 'memories',
  tolerance: 0.003,
  margin: 0.012,
  spread: 0.001,
  hasPast: false,
  unit(reading, noise) {
    const line = memoryLine(reading);
    return line && { value: line.slope, variance: noise / line.leverage };
  },
  noiseOf: (control) => {
    const lines = control.flatMap(({ after }) => memoryLine(after) ?? []);
    return 1e-6 + lines.reduce((sum, { residual }) => sum + residual, 0) / Math.max(1, lines.length);
  },
  shown: (group) => {
    const lines = group.flatMap(({ after }) => memoryLine(after) ?? []);
    return `${percent(lines.reduce((sum, { slope }) => sum + slope, 0) / Math.max(1, lines.length))} a minute`;
  },
  effect: (effect) => `${percent(effect)} a minute`,
};

const health: Metric = {
  name: 'health',
  count: 'beats',
  tolerance: 3,
  margin: 10,
  spread: 1.5,
  hasPast: true,
  unit(reading, noise) {
    const unit = mean(reading, 'beats', 'healthSum', noise);
    return unit && { ...unit, value: -unit.value };
  },
  noiseOf: (control) => within(control, 'beats', 'healthSum', 'healthSquares') + 1,
  shown: (group) => (total(group, 'healthSum') / Math.max(1, total(group, 'beats'))).toFixed(1),
  effect: (effect) => `${(-effect).toFixed(1)} points`,
};

/** What a version is compared by, beside restarts and alerts. */
export const METRICS: readonly Metric[] = [errors, latency, throughput, memory, health];
