import { graphql, parse, validate } from 'graphql';
import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import { type RandomOperation, RandomWriter, randomFrom } from './random-operation.ts';
import { call, callerOf, monolith, newWorld, stillClock, supergraphSdl } from './world.ts';

const WANTED = Number(process.env['PAIRS'] ?? 400);
const START = Number(process.env['SEED'] ?? 1);

interface Comparison {
  operation: RandomOperation;
  federated: { answer: GraphAnswer; log: string[] };
  monolithic: { answer: GraphAnswer; log: string[] };
}

const federatedWorld = newWorld();
const faults: string[] = [];
const engine = createEngine({
  supergraphSdl,
  caller: callerOf(federatedWorld),
  clock: stillClock,
  reportFault: ({ error }) => faults.push(error),
});

async function compare(operation: RandomOperation): Promise<Comparison> {
  Object.assign(federatedWorld, newWorld());
  const world = newWorld();
  const { query, variables } = operation;
  const monolithic = await graphql({ schema: monolith, source: query, variableValues: variables, contextValue: world });
  const prepared = await engine.prepare(operation);
  const answer = isRefused(prepared) ? { errors: prepared.errors } : await engine.execute(prepared, call);
  return {
    operation,
    federated: { answer, log: federatedWorld.log },
    monolithic: { answer: JSON.parse(JSON.stringify(monolithic)), log: world.log },
  };
}

/** Error paths of which the other side knows none on the same way up or down. */
function unmatched(one: GraphAnswer, other: GraphAnswer): string[] {
  const paths = (answer: GraphAnswer) => (answer.errors ?? []).map((error) => JSON.stringify(error.path).slice(0, -1));
  const others = paths(other);
  return paths(one).filter((path) => !others.some((each) => each.startsWith(path) || path.startsWith(each)));
}

test(`${WANTED} random operations are answered as one schema would answer them`, async () => {
  let compared = 0;
  for (let seed = START; compared < WANTED; seed++) {
    const operation = new RandomWriter(monolith, randomFrom(seed)).write();
    if (validate(monolith, parse(operation.query)).length > 0) continue;
    compared++;
    const { federated, monolithic } = await compare(operation);
    const told = { seed, ...operation };
    expect({ ...told, data: federated.answer.data, log: federated.log }).toEqual({
      ...told,
      data: monolithic.answer.data,
      log: monolithic.log,
    });
    expect({ ...told, unmatched: unmatched(monolithic.answer, federated.answer) }).toEqual({ ...told, unmatched: [] });
  }
});
