import type { Settings } from '../../lib/settings/index.ts';
import { apolloPlanner } from './apollo-planner.ts';
import { nativePlanner, type PlannerMaker } from './planner.ts';

/** The planners in the order FLEET_PLANNER asks for; what the first cannot plan goes to the second. */
export function plannersIn({ FLEET_PLANNER, FLEET_OVERRIDE_LABELS }: Settings): {
  planner: PlannerMaker;
  secondPlanner: PlannerMaker;
} {
  const labels = new Set(FLEET_OVERRIDE_LABELS);
  const native = nativePlanner({ labels });
  const apollo = apolloPlanner({ labels });
  return FLEET_PLANNER === 'apollo'
    ? { planner: apollo, secondPlanner: native }
    : { planner: native, secondPlanner: apollo };
}
