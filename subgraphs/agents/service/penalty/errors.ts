import { HealthFactor } from '../../entity/health-model.ts';
import { type HealthFacts, type Penalty, percent } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Fewer requests tell nothing. */
export const MIN_REQUESTS = 5;

/** Requests that fail. */
export function errors({ window }: HealthFacts, { ERRORS }: Weights): Penalty[] {
  const requests = window.reduce((sum, beat) => sum + beat.requests, 0);
  const failed = Math.min(
    requests,
    window.reduce((sum, beat) => sum + beat.errors, 0),
  );
  const share = requests ? failed / requests : 0;
  const points = requests < MIN_REQUESTS ? 0 : ramp(share, ERRORS);
  if (!points) return [];
  const evidence = `${failed} of ${requests} requests failed in the last ${window.length} beats (${percent(share)})`;
  return [{ factor: HealthFactor.ERRORS, reason: 'requests fail', points, evidence }];
}
