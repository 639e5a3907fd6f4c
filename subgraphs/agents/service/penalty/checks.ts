import { HealthFactor } from '../../entity/health-model.ts';
import type { HealthFacts, Penalty } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

const COUNTED = 3;

/** Its own checks that fail, each by its name. */
export function checks({ failedChecks }: HealthFacts, { CHECKS }: Weights): Penalty[] {
  return failedChecks.slice(0, COUNTED).map(({ name, message }, before) => ({
    factor: HealthFactor.CHECKS,
    reason: `check ${name} fails`,
    points: ramp(before + 1, CHECKS) - ramp(before, CHECKS),
    evidence: message ?? 'no message',
  }));
}
