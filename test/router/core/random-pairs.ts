import { type GraphQLFormattedError, graphql, parse, validate } from 'graphql';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { createEngine } from '../../../router/core.ts';
import { type Engine, type GraphAnswer, isRefused } from '../../../router/engine.ts';
import { SharedCalls } from '../../../router/execute/shared-calls.ts';
import { buildApolloPlanner, type PlanOne } from '../../../router/plan/apollo-build.ts';
import { NativeProcess } from '../../../router/plan/native-process.ts';
import { nativePlanner, PLANNING_LIMITS, type PlannerMaker } from '../../../router/plan/planner.ts';
import { faultyPlaces, lacks, type Outcome } from './outcome.ts';
import { type RandomOperation, RandomWriter, randomFrom } from './random-operation.ts';
import { type Happening, type RandomWorld, randomWorld } from './random-world.ts';
import { call, stillClock } from './world.ts';

/** A pair of a random graph and a random operation on it that was answered otherwise than one schema would. */
export interface Difference {
  planner: PlannerName;
  world: number;
  operation: number;
  query: string;
  variables: Record<string, unknown>;
  router: unknown;
  oneSchema: unknown;
  /** What its subgraphs told, unmasked. */
  faults: readonly string[];
}

export type PlannerName = 'native' | 'apollo';
export const PLANNERS: readonly PlannerName[] = ['native', 'apollo'];

/** What came of many pairs. */
export interface Tally {
  worlds: number;
  notComposed: string[];
  pairs: Record<PlannerName, number>;
  /** Operations answered with an error because no plan was found, which is never wrong data. */
  unplanned: Record<PlannerName, number>;
  /** Why a planner could not plan, and how often; behind the native planner stands the other. */
  reasons: Map<string, number>;
  /** Pairs in which something was null because of an error. */
  faulty: number;
  /**
   * Pairs in which an injected fault took more with it than in one schema: a subgraph is asked at once for what several
   * parts of an answer need. There is less data, none is wrong, and errors tell where.
   */
  lostMore: Record<PlannerName, number>;
  differences: Difference[];
}

export function newTally(): Tally {
  const none = { native: 0, apollo: 0 };
  return {
    worlds: 0,
    notComposed: [],
    pairs: { ...none },
    unplanned: { ...none },
    reasons: new Map(),
    faulty: 0,
    lostMore: { ...none },
    differences: [],
  };
}

/** Apollo's planner on this thread: a thread for each of many graphs would cost more than the planning. */
const apolloHere: PlannerMaker = (supergraphSdl) => {
  let planner: PlanOne | undefined;
  return {
    async plan(document, operationName, draw) {
      planner ??= buildApolloPlanner(supergraphSdl, []);
      return planner(document, operationName, draw);
    },
  };
};

/** Some graphs have many operations that end its process; here it is always started anew. */
const PATIENT = { ...PLANNING_LIMITS, timeoutMs: 30_000 };
const nativeAlways = nativePlanner({}, PATIENT, new NativeProcess(Number.POSITIVE_INFINITY));

const noPlanner: PlannerMaker = () => ({ plan: () => Promise.reject(new Error('there is no second planner')) });

/** Answers the same operations by the router and by one schema, on each planner, and adds up what came of it. */
export async function comparePairs(worldSeed: number, operationSeeds: Iterable<number>, tally: Tally): Promise<void> {
  const world = randomWorld(worldSeed);
  const { supergraphSdl } = world;
  tally.worlds += 1;
  if (supergraphSdl === undefined) {
    tally.notComposed.push(`world ${worldSeed}: ${world.problems.join('\n')}`);
    return;
  }
  const happening: Happening = { log: [] };
  const faults = new Set<string>();
  const engines = PLANNERS.map((planner) => {
    const engine = createEngine({
      flags: fixedFlags({ 'router.apollo-fallback': true }),
      supergraphSdl,
      caller: new SharedCalls(world.callerOf(happening), () => true),
      clock: stillClock,
      planner: planner === 'native' ? nativeAlways : apolloHere,
      secondPlanner: planner === 'native' ? apolloHere : noPlanner,
      reportFault: ({ subgraph, error }) => {
        if (subgraph !== 'planner' || error.startsWith('the plan does not bring')) {
          faults.add(`${subgraph}: ${error}`);
          return;
        }
        const reason = `${planner}: ${reasonOf(error)}`;
        tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
      },
    });
    return { planner, engine };
  });
  for (const seed of operationSeeds) {
    const operation = new RandomWriter(world.monolith, randomFrom(seed * 31 + worldSeed), true).write();
    if (validate(world.monolith, parse(operation.query)).length > 0) continue;
    const expected = await asOneSchema(world, operation);
    if (expected.answer.errors) tally.faulty += 1;
    for (const { planner, engine } of engines) {
      happening.log = [];
      faults.clear();
      const answer = await asRouter(engine, operation);
      tally.pairs[planner] += 1;
      if (answer.errors?.some(isUnplanned)) {
        tally.unplanned[planner] += 1;
        continue;
      }
      const [router, oneSchema] = [told({ answer, log: happening.log }), told(expected)];
      if (JSON.stringify(router) === JSON.stringify(oneSchema)) continue;
      const isDone = happening.log.join() === expected.log.join();
      if (isDone && [...faults].every(isInjected) && lacks(expected.answer.data, answer.data, answer.errors?.length)) {
        tally.lostMore[planner] += 1;
        continue;
      }
      tally.differences.push({
        planner,
        world: worldSeed,
        operation: seed,
        ...operation,
        router,
        oneSchema,
        faults: [...faults],
      });
    }
  }
}

async function asOneSchema({ monolith }: RandomWorld, { query, variables }: RandomOperation): Promise<Outcome> {
  const happening: Happening = { log: [] };
  const answer = await graphql({ schema: monolith, source: query, variableValues: variables, contextValue: happening });
  return { answer: JSON.parse(JSON.stringify(answer)), log: happening.log };
}

async function asRouter(engine: Engine, operation: RandomOperation): Promise<GraphAnswer> {
  const prepared = await engine.prepare(operation);
  return isRefused(prepared) ? { errors: prepared.errors } : await engine.execute(prepared, call);
}

const isUnplanned = ({ message, extensions }: GraphQLFormattedError) =>
  message.includes('could not plan') || extensions?.['code'] === 'QUERY_TOO_LARGE';

/** A reason without the names it is about. */
const reasonOf = (error: string) =>
  error
    .split('\n')
    .slice(0, 4)
    .join(' ')
    .replaceAll(/\d+\b|'[^']*'|"[^"]*"|\b[A-Z]+\d+\b|\b[a-z]+\d+\b/g, '…');

/** As text: the order of keys is part of the answer. */
const told = ({ answer, log }: Outcome) => ({ data: JSON.stringify(answer.data), log, faulty: faultyPlaces(answer) });

const isInjected = (fault: string) => /: at http:|: Cannot return null for non-nullable/.test(fault);
