import { HealthFactor } from '../../entity/health-model.ts';
import type { BeatSample, HealthFacts, Penalty } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Requests that take long. */
export function latency({ window }: HealthFacts, { LATENCY }: Weights): Penalty[] {
  const mean = meanLatency(window);
  if (!mean) return [];
  const points = ramp(mean.ms, LATENCY);
  if (!points) return [];
  const evidence = `${Math.round(mean.ms)} ms on average of ${mean.requests} requests`;
  return [{ factor: HealthFactor.LATENCY, reason: 'requests are slow', points, evidence }];
}

/** The mean latency of the requests of these beats; undefined when none was timed. */
export function meanLatency(window: readonly BeatSample[]): { ms: number; requests: number } | undefined {
  // In one pass without lists: it is asked twice for each beat.
  let requests = 0;
  let tookMs = 0;
  for (const beat of window) {
    if (beat.latencyMs === null) continue;
    requests += beat.requests;
    tookMs += beat.latencyMs * beat.requests;
  }
  return requests ? { ms: tookMs / requests, requests } : undefined;
}
