import { HealthFactor } from '../../entity/health-model.ts';
import type { HealthFacts, Penalty } from './penalty.ts';
import type { Weights } from './weights.ts';

/** Another agent that it depends on, when that is where its trouble comes from (service/root-cause.ts). */
export function dependency({ cause }: HealthFacts, { DEPENDENCY }: Weights): Penalty[] {
  if (!cause) return [];
  return [
    {
      factor: HealthFactor.DEPENDENCY,
      reason: `${cause.name}, which it depends on, is the cause`,
      points: DEPENDENCY.points,
      evidence: `${cause.name} was unwell first`,
      about: cause.uuid,
    },
  ];
}
