import { HealthFactor } from '../../entity/health-model.ts';
import type { HealthFacts, Penalty } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** How long a restart counts against an agent, milliseconds. */
export const RESTART_MEMORY_MS = 10 * 60_000;

/** Restarts of late. */
export function restarts({ restartsAtMs }: HealthFacts, { RESTARTS }: Weights, nowMs: number): Penalty[] {
  if (!restartsAtMs.length) return [];
  const count = restartsAtMs.filter((atMs) => nowMs - atMs < RESTART_MEMORY_MS).length;
  const evidence = `${count} restart${count === 1 ? '' : 's'} in the last 10 minutes`;
  return [{ factor: HealthFactor.RESTARTS, reason: 'it restarts', points: ramp(count, RESTARTS), evidence }];
}
