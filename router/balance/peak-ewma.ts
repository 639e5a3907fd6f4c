/** How long a replica takes, as far as is known. */
export interface LatencyEstimate {
  /** Milliseconds; 0 before anything is known. */
  readonly costMs: number;
  readonly atMs: number;
}

/** After so long an observation weighs a third, milliseconds. */
const DECAY_MS = 10_000;
/** What a replica nobody knows yet is taken to cost once it has a call under way: it is tried, and not flooded. */
const UNKNOWN_COST_MS = 1_000;

export function unknownLatency(nowMs: number): LatencyEstimate {
  return { costMs: 0, atMs: nowMs };
}

/**
 * Takes one observed latency: a peak counts at once, a fall is believed with time.
 * Source: peak EWMA of Finagle's load balancer (twitter/finagle, PeakEwma.scala).
 */
export function observed(before: LatencyEstimate, tookMs: number, nowMs: number): LatencyEstimate {
  if (tookMs > before.costMs) return { costMs: tookMs, atMs: nowMs };
  const weight = Math.exp((before.atMs - nowMs) / DECAY_MS);
  return { costMs: before.costMs * weight + tookMs * (1 - weight), atMs: Math.max(before.atMs, nowMs) };
}

/** What one more call would meet there: latency times the calls under way. Lower is better. */
export function loadOf(latency: LatencyEstimate, inFlight: number, nowMs: number): number {
  if (latency.costMs === 0) return inFlight === 0 ? 0 : UNKNOWN_COST_MS + inFlight;
  return latency.costMs * Math.exp((latency.atMs - nowMs) / DECAY_MS) * (inFlight + 1);
}
