import { type PlanNode, QueryPlanner } from '@graphql-hive/router-query-planner';
import { messageOf } from '../../lib/errors.ts';

/** Decides which subgraph is asked for what, in which order. */
export interface Planner {
  /**
   * @param document a valid document; its fields are those of the consumer schema
   * @returns nothing when there is nothing to ask for
   * @throws Error when the supergraph has no way to answer
   */
  plan(document: string, operationName: string | undefined): Promise<PlanNode | undefined>;
}

/** Makes a planner of a supergraph's SDL. */
export type PlannerMaker = (supergraphSdl: string) => Planner;

/** Which fields that are moving between subgraphs (progressive `@override`) already live in their new place. */
export interface Overrides {
  /** Labels that are on. */
  labels?: ReadonlySet<string>;
  /** Draws in [0, 1) for `percent(n)` labels, once for each plan. */
  random?: () => number;
}

/** Hive's native planner, working off the main loop. */
export function nativePlanner({ labels = new Set(), random = () => 0 }: Overrides = {}): PlannerMaker {
  return (supergraphSdl) => {
    const planner = new QueryPlanner(supergraphSdl);
    const active = new Set(labels);
    return {
      async plan(document, operationName) {
        const plan = await planner.planAsync(document, operationName, active, random() * 100);
        return plan.node ?? undefined;
      },
    };
  };
}

/** Asks a second planner when the first one fails or plans what cannot be run; what cannot be run never is, also without a second. */
export function withFallback(
  first: Planner,
  second: Planner,
  objection: (plan: PlanNode) => string | undefined,
  onFallback: (reason: string) => void,
  mayFallBack: () => boolean = () => true,
): Planner {
  return {
    async plan(document, operationName) {
      let reason: string | undefined;
      try {
        const plan = await first.plan(document, operationName);
        reason = plan ? objection(plan) : 'the plan is empty';
        if (reason === undefined) return plan;
      } catch (error) {
        reason = messageOf(error);
      }
      onFallback(reason);
      if (!mayFallBack()) throw new Error(reason);
      const plan = await second.plan(document, operationName);
      const still = plan && objection(plan);
      if (still !== undefined) throw new Error(still);
      return plan;
    },
  };
}
