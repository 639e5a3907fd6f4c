import { HealthFactor } from '../../entity/health-model.ts';
import type { BeatSample, HealthFacts, Penalty } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Requests that take long. */
export function latency({ window }: HealthFacts, { LATENCY }: Weights): Penalty[] {
  const mean = meanLatency(window);
  if (!mean) return [];
  const evidence = `${Math.round(mean.ms)} ms on average of ${mean.requests} requests`;
  return [{ factor: HealthFactor.LATENCY, reason: 'requests are slow', points: ramp(mean.ms, LATENCY), evidence }];
}

/** The mean latency of the requests of these beats; undefined when none was timed. */
export function meanLatency(window: readonly BeatSample[]): { ms: number; requests: number } | undefined {
  const timed = window.filter((beat) => beat.latencyMs !== null && beat.requests > 0);
  const requests = timed.reduce((sum, beat) => sum + beat.requests, 0);
  if (!requests) return undefined;
  return { ms: timed.reduce((sum, beat) => sum + (beat.latencyMs as number) * beat.requests, 0) / requests, requests };
}
