import type { PlanNode } from '@graphql-hive/router-query-planner';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { NativeProcess } from './native-process.ts';
import type { NativeSchema } from './native-task.ts';

/** Decides which subgraph is asked for what, in which order. */
export interface Planner {
  /** Whether another may be quick where this one refuses an operation for the time it takes. */
  readonly isSlow?: boolean;
  /**
   * @param document a valid document; its fields are those of the consumer schema
   * @param draw in [0, 100): `percent(n)` labels of overrides are on where it is below n
   * @returns nothing when there is nothing to ask for
   * @throws Error when the supergraph has no way to answer
   */
  plan(document: string, operationName: string | undefined, draw?: number): Promise<PlanNode | undefined>;
}

/** Makes a planner of a supergraph's SDL. */
export type PlannerMaker = (supergraphSdl: string) => Planner;

/** Which fields that are moving between subgraphs (progressive `@override`) already live in their new place. */
export interface Overrides {
  /** Labels that are on, beside `percent(n)`. */
  labels?: ReadonlySet<string>;
}

export interface PlanningLimits {
  /** Operations that are being planned at once. */
  atOnce: number;
  /** How long one may wait, and how long it may then take, milliseconds. An ordinary plan takes less than one. */
  timeoutMs: number;
}

export const PLANNING_LIMITS: PlanningLimits = { atOnce: 64, timeoutMs: 2_000 };

/** One for all supergraphs of this process: they come and go, and it stays. */
const shared = new NativeProcess();
let lastSchema = 0;

/**
 * Hive's native planner, in a process of its own. Refuses what takes too long with QUERY_TOO_LARGE, and new operations
 * beyond a number with OVERLOADED.
 */
export function nativePlanner(
  { labels = new Set() }: Overrides = {},
  limits = PLANNING_LIMITS,
  planning = shared,
): PlannerMaker {
  return (supergraphSdl) => {
    lastSchema += 1;
    const schema: NativeSchema = { schema: lastSchema, supergraphSdl };
    planning.learn(schema);
    const active = [...labels];
    let underWay = 0;
    return {
      plan(document, operationName, draw = 0) {
        if (underWay >= limits.atOnce) {
          const refusal = ['OVERLOADED', 'too many new operations are being planned', { retryAfterMs: 1_000 }] as const;
          return Promise.reject(new FleetError(...refusal));
        }
        underWay += 1;
        const task = { document, operationName, labels: active, percentage: draw };
        return planning.plan(schema, task, limits.timeoutMs).finally(() => {
          underWay -= 1;
        });
      },
    };
  };
}

/** Asks a second planner when the first one fails. */
export function withFallback(
  first: Planner,
  second: Planner,
  onFallback: (reason: string) => void,
  mayFallBack: () => boolean = () => true,
): Planner {
  return {
    async plan(document, operationName, draw) {
      let reason: string;
      let refusal: FleetError | undefined;
      try {
        const plan = await first.plan(document, operationName, draw);
        if (plan) return plan;
        reason = 'the plan is empty';
      } catch (error) {
        if (error instanceof FleetError) refusal = error;
        // What was refused on purpose is not tried in a way that takes longer.
        if (refusal && !first.isSlow) throw error;
        reason = messageOf(error);
      }
      onFallback(reason);
      if (!mayFallBack()) throw refusal ?? new Error(reason);
      try {
        return await second.plan(document, operationName, draw);
      } catch (error) {
        throw refusal ?? error;
      }
    },
  };
}
