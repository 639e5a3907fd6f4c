import type { Clock } from '../../lib/clock.ts';
import type { Settings } from '../../lib/settings/index.ts';
import { apolloPlanner } from './apollo-planner.ts';
import { nativePlanner, type PlannerMaker } from './planner.ts';

/** The planners in the order FLEET_PLANNER asks for; what the first cannot plan goes to the second. */
export function plannersIn(
  { FLEET_PLANNER }: Settings,
  clock: Clock,
): { planner: PlannerMaker; secondPlanner: PlannerMaker } {
  const native = nativePlanner({ random: () => clock.random() });
  const apollo = apolloPlanner();
  return FLEET_PLANNER === 'apollo'
    ? { planner: apollo, secondPlanner: native }
    : { planner: native, secondPlanner: apollo };
}
