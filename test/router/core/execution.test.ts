import type { PlanNode } from '@graphql-hive/router-query-planner';
import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import { copyOf, joined } from '../../../router/execute/json.ts';
import { stepsOf, streamPlanOf } from '../../../router/plan/steps.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { type Asked, call, callerOf, newWorld, stillClock, supergraphSdl } from './world.ts';

async function ask(
  query: string,
  variables: Record<string, unknown> = {},
): Promise<{ answer: GraphAnswer; asked: Asked[]; log: string[] }> {
  const world = newWorld();
  const asked: Asked[] = [];
  const engine = createEngine({ supergraphSdl, caller: callerOf(world, asked), clock: stillClock });
  const prepared = await engine.prepare({ query, variables });
  const answer = isRefused(prepared) ? { errors: prepared.errors } : await engine.execute(prepared, call);
  return { answer, asked, log: world.log };
}

test('mutations run in their order, and each is read whole before the next', async () => {
  const { answer, log, asked } = await ask(`mutation {
    a: rename(id: "p1", name: "first") { name posts(first: 1) { author { name } } }
    publish(name: "second") { name likes }
    b: rename(id: "p1", name: "third") { name }
    ...F
  }
  fragment F on Mutation { c: rename(id: "p2", name: "fourth") { ... on Named { name } } b: rename(id: "p1", name: "third") { age } }`);
  expect(log).toEqual(['rename p1 first', 'publish second', 'rename p1 third', 'rename p2 fourth']);
  expect(answer).toEqual({
    data: {
      a: { name: 'first', posts: [{ author: { name: 'first' } }] },
      publish: { name: 'second', likes: 10 },
      b: { name: 'third', age: 21 },
      c: { name: 'fourth' },
    },
  });
  const publish = asked.findIndex(({ query }) => query.includes('publish'));
  expect(asked.slice(0, publish).map(({ subgraph }) => subgraph)).toEqual(['people', 'writings', 'people']);
});

test('neighbouring mutations of one subgraph that need no other are one request', async () => {
  const { asked, log } = await ask(
    'mutation { a: rename(id: "p1", name: "x") { name } b: rename(id: "p1", name: "y") { name } }',
  );
  expect(asked).toHaveLength(1);
  expect(log).toEqual(['rename p1 x', 'rename p1 y']);
});

test('a mutation with more root fields than anybody needs is refused', async () => {
  const fields = Array.from({ length: 201 }, (_, n) => `m${n}: rename(id: "p1", name: "x") { rank }`).join(' ');
  const { answer, log } = await ask(`mutation { ${fields} }`);
  expect(answer.errors?.[0]).toMatchObject({
    message: 'over 200 root fields',
    extensions: { code: 'QUERY_TOO_LARGE' },
  });
  expect(log).toEqual([]);
});

test('a subgraph is sent only the variables it uses', async () => {
  const { asked } = await ask('query ($id: ID!, $by: Int) { person(id: $id) { score(bonus: { by: $by }) } }', {
    id: 'p1',
    by: 3,
  });
  expect(asked.map(({ variables }) => variables)).toEqual([
    { id: 'p1' },
    { by: 3, representations: [{ __typename: 'Person', id: 'p1' }] },
  ]);
});

test('an id of any type is looked up by the subgraph that only has stubs, and filled by the owners', async () => {
  const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: new Fleet(), clock: stillClock });
  const query = `query ($id: ID!) { node(id: $id) { __typename id ... on Agent { name alerts { title } } ... on Alert { title agent { name } } } }`;
  const answers: unknown[] = [];
  for (const id of ['a1', 'l2', 'x3']) {
    const prepared = await engine.prepare({ query, variables: { id } });
    if (isRefused(prepared)) throw new Error('refused');
    answers.push(await engine.execute(prepared, call));
  }
  expect(answers).toEqual([
    { data: { node: { __typename: 'Agent', id: 'a1', name: 'agent a1', alerts: [{ title: 'alert l1' }] } } },
    { data: { node: { __typename: 'Alert', id: 'l2', title: 'alert l2', agent: { name: 'agent a2' } } } },
    { data: { node: null } },
  ]);
});

test('what subgraphs say of one thing is joined: objects by key, lists by item, null takes nothing back', () => {
  expect(joined({ a: 1, list: [{ x: 1 }, null] }, { b: null, a: null, list: [{ y: 2 }, { y: 3 }] })).toEqual({
    a: 1,
    b: null,
    list: [{ x: 1, y: 2 }, { y: 3 }],
  });
  expect(joined([1], [1, 2])).toEqual([1, 2]);
  expect(joined(undefined, undefined)).toBeNull();
  const original = { a: [{ b: 1 }], c: undefined };
  const copy = copyOf(original) as typeof original;
  expect(copy).toEqual({ a: [{ b: 1 }], c: null });
  expect(copy.a[0]).not.toBe(original.a[0]);
});

test('conditions and rewrites of a plan are carried out as it says', async () => {
  const agents = (operation: string) => ({ kind: 'Fetch', serviceName: 'agents', operation }) as const;
  const plan: PlanNode = {
    kind: 'Parallel',
    nodes: [
      {
        kind: 'Condition',
        condition: 'yes',
        ifClause: { ...agents('{ one: agent(id: "a1") { id } }'), operationName: 'One' },
      },
      { kind: 'Condition', condition: 'no', ifClause: agents('{ two: agent(id: "a2") { id } }') },
      {
        kind: 'Condition',
        condition: 'no',
        elseClause: {
          ...agents('{ aliased: agent(id: "a3") { other: name } }'),
          outputRewrites: [
            {
              KeyRenamer: {
                path: [{ Key: 'aliased' }, { TypenameEquals: ['Agent'] }, { Key: 'other' }],
                renameKeyTo: 'name',
              },
            },
            { KeyRenamer: { path: [{ Key: 'aliased' }], renameKeyTo: 'three' } },
          ],
        },
      },
    ],
  };
  const fleet = new Fleet();
  const planner = () => ({ plan: async () => plan });
  const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: fleet, clock: stillClock, planner });
  const query = `query ($yes: Boolean!, $no: Boolean!) {
    one: agent(id: "a1") { id } two: agent(id: "a2") @include(if: $no) { id } three: agent(id: "a3") { name @include(if: $yes) }
  }`;
  const prepared = await engine.prepare({ query, variables: { yes: true, no: false } });
  if (isRefused(prepared)) throw new Error(JSON.stringify(prepared.errors));
  expect(await engine.execute(prepared, call)).toEqual({ data: { one: { id: 'a1' }, three: { name: 'agent a3' } } });
  expect(fleet.asked.map((each) => each.query)).toHaveLength(2);
});

test('a plan this router does not know is refused', () => {
  expect(() => stepsOf({ kind: 'Defer', primary: {}, deferred: [] })).toThrow(
    'the plan has a node this router does not run: Defer',
  );
  const fetch = { kind: 'Fetch', serviceName: 'a', operation: '{ a }' } as const;
  expect(() => streamPlanOf(fetch)).toThrow('invariant broken');
  expect(() => streamPlanOf({ kind: 'Sequence', nodes: [fetch] })).toThrow('invariant broken');
});
