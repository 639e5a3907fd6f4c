import { AgentState } from '../../entity/enums.ts';
import { HealthFactor } from '../../entity/health-model.ts';
import type { HealthFacts, Penalty } from './penalty.ts';
import type { Weights } from './weights.ts';

/** A state in which no work is done that ought to be. */
export function state({ state: is, desired }: HealthFacts, weights: Weights): Penalty[] {
  const { FAILURE, QUARANTINE } = HealthFactor;
  if (is === AgentState.FAILED)
    return [{ factor: FAILURE, reason: 'it failed', points: weights.FAILURE.points, evidence: 'state FAILED' }];
  if (is !== AgentState.QUARANTINED && desired !== AgentState.QUARANTINED) return [];
  const { points } = weights.QUARANTINE;
  return [{ factor: QUARANTINE, reason: 'it is kept from work', points, evidence: 'state QUARANTINED' }];
}
