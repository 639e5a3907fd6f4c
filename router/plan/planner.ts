import { type PlanNode, QueryPlanner } from '@graphql-hive/router-query-planner';

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
