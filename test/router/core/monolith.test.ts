import { graphql, parse, validate } from 'graphql';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { createEngine } from '../../../router/core.ts';
import { type Engine, isRefused } from '../../../router/engine.ts';
import { APOLLO_LIMITS, apolloPlanner } from '../../../router/plan/apollo-planner.ts';
import { nativePlanner, PLANNING_LIMITS } from '../../../router/plan/planner.ts';
import { faultyPlaces, type Outcome } from './outcome.ts';
import { type RandomOperation, RandomWriter, randomFrom } from './random-operation.ts';
import { call, callerOf, monolith, newWorld, stillClock, supergraphSdl, type World } from './world.ts';

/** The machine may have much else to do. */
const PATIENT = { ...PLANNING_LIMITS, timeoutMs: 60_000 };

async function asMonolith({ query, variables }: RandomOperation): Promise<Outcome> {
  const world = newWorld();
  const answer = await graphql({ schema: monolith, source: query, variableValues: variables, contextValue: world });
  return { answer: JSON.parse(JSON.stringify(answer)), log: world.log };
}

async function asFederation(engine: Engine, world: World, operation: RandomOperation): Promise<Outcome> {
  Object.assign(world, newWorld());
  const prepared = await engine.prepare(operation);
  const answer = isRefused(prepared) ? { errors: prepared.errors } : await engine.execute(prepared, call);
  return { answer, log: world.log };
}

async function compareMany(planner: 'native' | 'apollo', firstSeed: number, count: number): Promise<void> {
  const world = newWorld();
  const engine = createEngine({
    flags: fixedFlags({ 'router.apollo-fallback': true }),
    supergraphSdl,
    caller: callerOf(world),
    clock: stillClock,
    planner:
      planner === 'native'
        ? nativePlanner({}, PATIENT)
        : apolloPlanner({}, { ...APOLLO_LIMITS, timeoutMs: PATIENT.timeoutMs }),
  });
  let compared = 0;
  for (let seed = firstSeed; compared < count; seed++) {
    const operation = new RandomWriter(monolith, randomFrom(seed)).write();
    if (validate(monolith, parse(operation.query)).length > 0) continue;
    compared++;
    const [federated, monolithic] = [await asFederation(engine, world, operation), await asMonolith(operation)];
    const told = ({ answer, log }: Outcome) => ({
      seed,
      ...operation,
      // As text: the order of keys is part of the answer.
      data: JSON.stringify(answer.data),
      log,
      faulty: faultyPlaces(answer),
    });
    expect(told(federated)).toEqual(told(monolithic));
  }
}

test('random operations are answered as one schema would answer them', () => compareMany('native', 1, 220), 60_000);

test(
  "random operations are answered as one schema would, with Apollo's planner",
  () => compareMany('apollo', 9_000, 100),
  60_000,
);

// Operations that a planner once got wrong, by their seed.
test.each([36, 178, 422, 647, 922, 1046, 1250, 1336, 3206, 5363, 8749, 14222])(
  'the operation of seed %d is answered as one schema would answer it',
  (seed) => compareMany('native', seed, 1),
);
