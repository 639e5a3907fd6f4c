import { MIN_REQUESTS } from './penalty/errors.ts';
import { meanLatency } from './penalty/latency.ts';
import type { Anomaly, BeatSample, Spend } from './penalty/penalty.ts';

/** An agent's habit of one thing: a mean that forgets, and how far from it a value usually is. */
interface Habit {
  mean: number;
  deviation: number;
  count: number;
}

/** What is remembered of an agent's beats, in little: the state of `nextVitals`. */
export interface Vitals {
  /** Of the logarithm of milliseconds: latencies are skewed. */
  latency: Habit;
  /** Of the share of requests that fail. */
  errors: Habit;
  cpu: number | undefined;
  /** Bytes: over some ten beats, and over some hundred. */
  memory: { fast: number; slow: number; count: number };
  /** US dollars by slots of five minutes; the last is that of `slot`. */
  spent: readonly number[];
  slot: number;
}

/** What a beat tells beside its window. */
export interface BeatVitals {
  requests?: number | null | undefined;
  errors?: number | null | undefined;
  latencyMs?: number | null | undefined;
  cpu?: number | null | undefined;
  memoryBytes?: number | null | undefined;
  costUsd?: number | null | undefined;
}

/** A habit is known after so many beats with work. */
const KNOWN_BEATS = 30;
/** How much of a habit each beat renews. */
const RENEWAL = 0.02;
/** A value further away than this teaches no more than this: what is wrong must not become usual at once. */
const LESSON = 3;
/** The least deviations: a tenth and a half of a latency; two requests of a hundred. */
const LEAST_DEVIATION = { latency: 0.15, errors: 0.02 };
const SLOT_MS = 5 * 60_000;
const SLOTS = 12;

const NO_HABIT: Habit = { mean: 0, deviation: 0, count: 0 };
export const NO_VITALS: Vitals = {
  latency: NO_HABIT,
  errors: NO_HABIT,
  cpu: undefined,
  memory: { fast: 0, slow: 0, count: 0 },
  spent: [],
  slot: 0,
};

/** The vitals after another beat. */
export function nextVitals(vitals: Vitals, beat: BeatVitals, nowMs: number): Vitals {
  const { requests, latencyMs, cpu, memoryBytes, costUsd } = beat;
  const failed = Math.min(beat.errors ?? 0, requests ?? 0);
  return {
    latency:
      requests && latencyMs != null
        ? learnt(vitals.latency, Math.log1p(latencyMs), LEAST_DEVIATION.latency)
        : vitals.latency,
    errors: requests ? learnt(vitals.errors, failed / requests, LEAST_DEVIATION.errors) : vitals.errors,
    cpu: cpu == null ? vitals.cpu : (vitals.cpu ?? cpu) * 0.7 + cpu * 0.3,
    memory: memoryBytes == null ? vitals.memory : remembered(vitals.memory, memoryBytes),
    ...(costUsd ? paid(vitals, costUsd, nowMs) : { spent: vitals.spent, slot: vitals.slot }),
  };
}

function learnt({ mean, deviation, count }: Habit, value: number, least: number): Habit {
  const isKnown = count >= KNOWN_BEATS;
  const farthest = LESSON * Math.max(deviation, least);
  const lesson = isKnown ? Math.min(mean + farthest, Math.max(mean - farthest, value)) : value;
  const share = Math.max(RENEWAL, 1 / (count + 1));
  return {
    mean: mean + share * (lesson - mean),
    deviation: count ? deviation + share * (Math.abs(lesson - mean) - deviation) : 0,
    count: count + 1,
  };
}

function remembered({ fast, slow, count }: Vitals['memory'], bytes: number): Vitals['memory'] {
  if (!count) return { fast: bytes, slow: bytes, count: 1 };
  const share = Math.max(0.005, 1 / (count + 1));
  return { fast: fast + 0.2 * (bytes - fast), slow: slow + share * (bytes - slow), count: count + 1 };
}

function paid({ spent, slot }: Vitals, usd: number, nowMs: number): Pick<Vitals, 'spent' | 'slot'> {
  const now = Math.floor(nowMs / SLOT_MS);
  const past = Math.max(0, now - slot);
  const kept = past ? [...spent, ...Array<number>(Math.min(SLOTS, past)).fill(0)].slice(-SLOTS) : [...spent];
  const last = kept.length ? kept.length - 1 : 0;
  kept[last] = (kept[last] ?? 0) + usd;
  return { spent: kept, slot: now };
}

/** What was spent within the hour against a budget; undefined without one. */
export function spendOf({ spent, slot }: Vitals, budgetUsd: number | undefined, nowMs: number): Spend | undefined {
  if (budgetUsd === undefined) return undefined;
  const past = Math.max(0, Math.floor(nowMs / SLOT_MS) - slot);
  const counted = past >= SLOTS ? [] : spent.slice(Math.max(0, spent.length - (SLOTS - past)));
  return { usd: counted.reduce((sum, usd) => sum + usd, 0), budgetUsd };
}

/** How the memory in use compares with that of the last minutes; undefined before it is known. */
export function memoryGrowthOf({ memory }: Vitals): number | undefined {
  return memory.count >= KNOWN_BEATS && memory.slow > 0 ? memory.fast / memory.slow : undefined;
}

/** How the last beats differ from the agent's habit; the greater of latency and errors, undefined when neither does. */
export function anomalyOf({ latency, errors }: Vitals, window: readonly BeatSample[]): Anomaly | undefined {
  let requests = 0;
  let failed = 0;
  for (const beat of window) {
    requests += beat.requests;
    failed += Math.min(beat.errors, beat.requests);
  }
  if (requests < MIN_REQUESTS || errors.count < KNOWN_BEATS) return undefined;
  const mean = meanLatency(window);
  const found: Anomaly[] = [
    {
      what: 'errors',
      distance: distanceOf(errors, failed / requests, LEAST_DEVIATION.errors),
      value: failed / requests,
      usual: errors.mean,
    },
    {
      what: 'latency',
      distance: mean ? distanceOf(latency, Math.log1p(mean.ms), LEAST_DEVIATION.latency) : 0,
      value: mean?.ms ?? 0,
      usual: Math.expm1(latency.mean),
    },
  ];
  const greatest = found.reduce((one, other) => (other.distance > one.distance ? other : one));
  return greatest.distance > 0 ? greatest : undefined;
}

function distanceOf({ mean, deviation, count }: Habit, value: number, least: number): number {
  return count < KNOWN_BEATS ? 0 : (value - mean) / Math.max(deviation, least);
}

/** An agent's budget of an hour by its label or its configuration, US dollars; undefined without one that is a number. */
export function budgetOf(
  labels: Readonly<Record<string, string>>,
  config: Readonly<Record<string, unknown>>,
): number | undefined {
  const given = labels['budgetUsdPerHour'] ?? config['budgetUsdPerHour'];
  const usd = typeof given === 'number' || typeof given === 'string' ? Number(given) : Number.NaN;
  return Number.isFinite(usd) && usd > 0 ? usd : undefined;
}
