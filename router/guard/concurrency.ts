/** How many calls may be under way to one subgraph. */
export interface ConcurrencyPolicy {
  /** As many to begin with, and never fewer; no more than these wait on a subgraph that does not answer. */
  initial: number;
  /** Never more than these. */
  most: number;
}

export const CONCURRENCY_POLICY: ConcurrencyPolicy = { initial: 20, most: 512 };

export interface ConcurrencyState {
  readonly limit: number;
  /** Latency of the last twenty answers or so, milliseconds. */
  readonly shortMs: number;
  /** Latency of the last thousand answers or so, milliseconds. */
  readonly longMs: number;
  /** When an answer came last. */
  readonly answeredAtMs: number;
  /** When at least half of the limit was in use. */
  readonly neededAtMs: number;
  /** When it was lowered last. */
  readonly loweredAtMs: number;
}

/** One call that ended with an answer, or was cut at its time limit. */
export interface CallSample {
  tookMs: number;
  /** Calls under way as it ended, itself included. */
  inFlight: number;
  timedOut: boolean;
}

const SHORT_WEIGHT = 0.1;
const LONG_WEIGHT = 0.002;
/** Latency may double before the limit is lowered. */
const TOLERANCE = 2;
const SMOOTHING = 0.2;
/** Calls a full limit grows by, before smoothing. */
const GROWTH = 4;
const AFTER_TIME_OUT = 0.9;
/** It is lowered at most so often, and once a latency: a stall of our own makes many calls late at once, milliseconds. */
const LOWERED_EACH_MS = 50;
/** A limit that is not needed halves each time this passes, milliseconds. */
const UNNEEDED_MS = 1_000;
/** No answer for so long, or for ten times the usual latency, and only the initial number is risked, milliseconds. */
const SILENT_MS = 500;

export function firstConcurrency(policy: ConcurrencyPolicy, nowMs: number): ConcurrencyState {
  return { limit: policy.initial, shortMs: 0, longMs: 0, answeredAtMs: nowMs, neededAtMs: nowMs, loweredAtMs: nowMs };
}

/**
 * Learns from one call how many a subgraph can take: the limit grows while it is used and latency stays, and falls with
 * the latency's rise, so that a healthy subgraph is never held back and a sick one never piled upon.
 * Source: Gradient2 of Netflix/concurrency-limits, with a short average in place of single samples.
 */
export function learnConcurrency(
  before: ConcurrencyState,
  { tookMs, inFlight, timedOut }: CallSample,
  nowMs: number,
  policy: ConcurrencyPolicy,
): ConcurrencyState {
  const state = faded(before, nowMs, policy);
  if (timedOut) return { ...state, limit: within(state.limit * AFTER_TIME_OUT, policy) };
  const shortMs = state.shortMs === 0 ? tookMs : state.shortMs + (tookMs - state.shortMs) * SHORT_WEIGHT;
  let longMs = state.longMs === 0 ? tookMs : state.longMs + (tookMs - state.longMs) * LONG_WEIGHT;
  // After a bad time the long average comes down with the short one, or it would excuse the next.
  if (longMs > TOLERANCE * shortMs) longMs *= 0.95;
  const { limit, neededAtMs, loweredAtMs } = state;
  if (inFlight * 2 < limit) return { limit, shortMs, longMs, answeredAtMs: nowMs, neededAtMs, loweredAtMs };
  const gradient = shortMs === 0 ? 1 : Math.max(0.5, Math.min(1, (TOLERANCE * longMs) / shortMs));
  const next = within(limit * (1 - SMOOTHING) + (limit * gradient + GROWTH) * SMOOTHING, policy);
  const seen = { shortMs, longMs, answeredAtMs: nowMs, neededAtMs: nowMs };
  if (next >= limit) return { limit: next, loweredAtMs, ...seen };
  const isTooSoon = nowMs - loweredAtMs < Math.max(LOWERED_EACH_MS, longMs);
  return isTooSoon ? { limit, loweredAtMs, ...seen } : { limit: next, loweredAtMs: nowMs, ...seen };
}

/** How many calls may be under way now. */
export function concurrencyLimit(state: ConcurrencyState, nowMs: number, policy: ConcurrencyPolicy): number {
  if (state.limit === policy.initial) return policy.initial;
  if (nowMs - state.answeredAtMs > Math.max(SILENT_MS, 10 * state.longMs)) return policy.initial;
  return Math.floor(faded(state, nowMs, policy).limit);
}

function faded(state: ConcurrencyState, nowMs: number, policy: ConcurrencyPolicy): ConcurrencyState {
  const halvings = Math.floor((nowMs - state.neededAtMs) / UNNEEDED_MS);
  if (halvings < 1 || state.limit === policy.initial) return state;
  const neededAtMs = state.neededAtMs + halvings * UNNEEDED_MS;
  return { ...state, limit: within(state.limit * 0.5 ** halvings, policy), neededAtMs };
}

function within(limit: number, policy: ConcurrencyPolicy): number {
  return Math.max(policy.initial, Math.min(policy.most, limit));
}
