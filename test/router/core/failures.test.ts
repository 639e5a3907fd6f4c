import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import type { MaskedFault } from '../../../router/execute/faults.ts';
import { away, Fleet, fleetSupergraph } from './fleet.ts';
import { call, stillClock } from './world.ts';

let fleet: Fleet;
let reported: MaskedFault[];

beforeEach(() => {
  fleet = new Fleet();
  reported = [];
});

async function ask(query: string, variables: Record<string, unknown> = {}): Promise<GraphAnswer> {
  const reportFault = (fault: MaskedFault) => void reported.push(fault);
  const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: fleet, clock: stillClock, reportFault });
  const prepared = await engine.prepare({ query, variables });
  return isRefused(prepared) ? { errors: prepared.errors } : engine.execute(prepared, call);
}

const unavailable = (subgraph: string, ...path: (string | number)[]) => ({
  message: `${subgraph} cannot be reached`,
  path,
  extensions: { code: 'SUBGRAPH_UNAVAILABLE', retryable: true, retryAfterMs: 250, subgraph, requestId: 'request-1' },
});
const masked = (...path: (string | number)[]) => ({
  message: 'something went wrong inside: tell us the requestId',
  path,
  extensions: { code: 'INTERNAL', retryable: false, requestId: 'request-1' },
});

test('a subgraph that is away leaves its root fields null, one error each, and the others whole', async () => {
  fleet.misbehaving['alerts'] = away('alerts');
  const answer = await ask('{ alerts { id } more: alerts { title } agents { name } }');
  expect(answer.data).toEqual({ alerts: null, more: null, agents: [{ name: 'agent a1' }, { name: 'agent a2' }] });
  expect(answer.errors).toEqual(
    expect.arrayContaining([unavailable('alerts', 'alerts'), unavailable('alerts', 'more')]),
  );
  expect(answer.errors).toHaveLength(2);
});

test('a subgraph that is away leaves its fields of entities null, with one error at what they have in common', async () => {
  fleet.misbehaving['alerts'] = away('alerts');
  expect(await ask('{ agents { name alerts { title } } }')).toEqual({
    data: {
      agents: [
        { name: 'agent a1', alerts: null },
        { name: 'agent a2', alerts: null },
      ],
    },
    errors: [unavailable('alerts', 'agents')],
  });
  expect(await ask('{ agent(id: "a1") { name alerts { title } } }')).toEqual({
    data: { agent: { name: 'agent a1', alerts: null } },
    errors: [unavailable('alerts', 'agent', 'alerts')],
  });
});

test('errors of entities are told at the real places, and everything uncoded is masked', async () => {
  fleet.misbehaving['agents'] = () => ({
    data: { _entities: [{ name: null }, null] },
    errors: [
      {
        message: 'connect ECONNREFUSED 10.0.0.7:5432',
        path: ['_entities', 0, 'name'],
        extensions: { stacktrace: ['at …'] },
      },
      { message: 'no such agent', path: ['_entities', 1], extensions: { code: 'NOT_FOUND', sql: 'select' } },
    ],
  });
  const answer = await ask('{ alerts { agent { name } } }');
  expect(answer).toEqual({
    data: { alerts: [{ agent: { name: null } }, { agent: { name: null } }] },
    errors: [
      masked('alerts', 0, 'agent', 'name'),
      {
        message: 'no such agent',
        path: ['alerts', 1, 'agent'],
        extensions: { code: 'NOT_FOUND', retryable: false, requestId: 'request-1' },
      },
    ],
  });
  expect(reported).toEqual([
    { subgraph: 'agents', requestId: 'request-1', error: 'connect ECONNREFUSED 10.0.0.7:5432' },
  ]);
});

test('equal entities are asked for once, and each place gets its own copy', async () => {
  fleet.misbehaving['alerts'] = () => ({
    data: {
      alerts: Array.from({ length: 100 }, (_, n) => ({ id: `l${n}`, agent: { __typename: 'Agent', id: 'a1' } })),
    },
  });
  const answer = await ask('{ alerts { agent { name } } }');
  expect(fleet.asked.at(-1)?.variables).toEqual({ representations: [{ __typename: 'Agent', id: 'a1' }] });
  expect(answer.data?.['alerts']).toEqual(Array.from({ length: 100 }, () => ({ agent: { name: 'agent a1' } })));
});

test('an entity without its key or its type is not asked for; where its key is not null, that is told', async () => {
  fleet.misbehaving['alerts'] = () => ({
    data: {
      alerts: [
        { id: 'l1', agent: { __typename: 'Agent', id: null } },
        { id: 'l2', agent: { id: 'a2' } },
        { id: 'l3', agent: { __typename: 'Agent' } },
      ],
    },
  });
  expect(await ask('{ alerts { id agent { name } } }')).toEqual({
    errors: [
      {
        message: 'something went wrong inside: tell us the requestId',
        path: ['alerts'],
        extensions: { code: 'INTERNAL', retryable: false, requestId: 'request-1' },
      },
    ],
    data: {
      alerts: [
        { id: 'l1', agent: { name: null } },
        { id: 'l2', agent: { name: null } },
        { id: 'l3', agent: { name: null } },
      ],
    },
  });
  expect(fleet.asked.map(({ subgraph }) => subgraph)).toEqual(['alerts']);
});

test('a null where none may be is told, and goes up to the next place that may be null', async () => {
  fleet.misbehaving['alerts'] = () => ({ data: { alerts: [{ title: null }, { title: 'fine' }] } });
  expect(await ask('{ alerts { title } agents { id } }')).toEqual({
    data: { alerts: null, agents: [{ id: 'a1' }, { id: 'a2' }] },
    errors: [
      {
        message: 'Alert.title is never null, and its subgraph gave nothing',
        path: ['alerts', 0, 'title'],
        extensions: { code: 'INTERNAL', retryable: false, requestId: 'request-1' },
      },
    ],
  });
});

test.each([
  ['no data and no errors', {}],
  ['data that is no object', { data: [1] as never }],
])('an answer with %s is none', async (_, broken) => {
  fleet.misbehaving['alerts'] = () => broken;
  const answer = await ask('{ alerts { id } }');
  expect(answer).toEqual({
    data: { alerts: null },
    errors: [
      {
        message: 'alerts gave an answer that is none',
        path: ['alerts'],
        extensions: { code: 'SUBGRAPH_UNAVAILABLE', retryable: true, subgraph: 'alerts', requestId: 'request-1' },
      },
    ],
  });
  const joined = await ask('{ agent(id: "a1") { alerts { id } } }');
  expect(joined).toMatchObject({ data: { agent: { alerts: null } }, errors: [{ path: ['agent', 'alerts'] }] });
});

test('errors about the whole request are told on every field it was for', async () => {
  fleet.misbehaving['agents'] = () => ({ errors: [{ message: 'Cannot query field "x"' }] });
  expect(await ask('{ agents { id } agent(id: "a1") { id } }')).toMatchObject({
    data: { agents: null, agent: null },
    errors: [masked('agents'), masked('agent')],
  });
  const joined = await ask('{ alerts { agent { name } } }');
  expect(joined).toMatchObject({ data: { alerts: [{ agent: { name: null } }, {}] }, errors: [masked('alerts')] });
});

const misshapen = (coordinate: string, ...path: (string | number)[]) => ({
  message: `its subgraph gave ${coordinate} a value that is not of its type`,
  path,
  extensions: { code: 'INTERNAL', retryable: false, requestId: 'request-1' },
});

test('shapes that do not fit the schema are null, and that is told', async () => {
  fleet.misbehaving['agents'] = () => ({
    data: { agents: 'many', agent: 7, node: { __typename: 'Nothing', id: 'n' } },
  });
  expect(await ask('{ agents { id } agent(id: "a1") { id } node(id: "n") { id } }')).toEqual({
    data: { agents: null, agent: null, node: null },
    errors: [misshapen('Query.agents', 'agents'), misshapen('Query.agent', 'agent'), misshapen('Query.node', 'node')],
  });
});

test('a value that is nested too deep to be written costs its field alone', async () => {
  const name = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
  fleet.misbehaving['agents'] = () => ({ data: { agent: { name }, other: { name: 'well' } } });
  expect(await ask('{ agent(id: "a1") { name } other: agent(id: "a2") { name } }')).toEqual({
    data: { agent: { name: null }, other: { name: 'well' } },
    errors: [misshapen('Agent.name', 'agent', 'name')],
  });
});

test('an enum value clients may not see is null, and that is told without the value', async () => {
  expect(await ask('{ agent(id: "a9") { state } other: agent(id: "a1") { state } }')).toEqual({
    data: { agent: { state: null }, other: { state: 'RUNNING' } },
    errors: [misshapen('Agent.state', 'agent', 'state')],
  });
});

test('what broke inside a subgraph is told by the router’s words alone, also under our own code for it', async () => {
  fleet.misbehaving['agents'] = () => ({
    data: { agents: null },
    errors: [
      { message: 'ECONNREFUSED 10.0.0.1:5432\n    at Socket', path: ['agents'], extensions: { code: 'INTERNAL' } },
    ] as never,
  });
  expect(await ask('{ agents { id } }')).toEqual({ data: { agents: null }, errors: [masked('agents')] });
  expect(reported).toEqual([
    { subgraph: 'agents', requestId: 'request-1', error: 'ECONNREFUSED 10.0.0.1:5432\n    at Socket' },
  ]);
});

test('an answer of nothing but faults is told of a thousand, and costs no more than those', async () => {
  fleet.misbehaving['agents'] = () => ({ data: { agents: Array.from({ length: 50_000 }, () => ({ state: 7 })) } });
  const answer = await ask('{ agents { state } }');
  expect(answer.errors?.length).toBe(1_000);
});

test("keys that would reach an object's prototype are left out", async () => {
  fleet.misbehaving['agents'] = () => JSON.parse('{"data":{"agents":[{"__proto__":{"polluted":true},"id":"a1"}]}}');
  expect(await ask('{ agents { id } }')).toEqual({ data: { agents: [{ id: 'a1' }] } });
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  const refused = await ask('{ __proto__: agents { id } }');
  expect(refused.errors?.[0]).toMatchObject({
    message: '__proto__ cannot be an alias',
    extensions: { code: 'BAD_QUERY' },
  });
});

test('a thousand errors are enough', async () => {
  fleet.misbehaving['alerts'] = () => ({
    data: { alerts: [] },
    errors: Array.from({ length: 1_500 }, (_, n) => ({ message: 'x', path: ['alerts', n] })),
  });
  expect((await ask('{ alerts { id } }')).errors).toHaveLength(1_000);
});

test('a client that left takes its calls along', async () => {
  const engine = createEngine({ supergraphSdl: fleetSupergraph, caller: fleet, clock: stillClock });
  const prepared = await engine.prepare({ query: '{ agents { id } }' });
  if (isRefused(prepared)) throw new Error('refused');
  let given: AbortSignal | undefined;
  fleet.execute = async (_subgraph, _request, ...[, signal]: [unknown?, AbortSignal?]) => {
    given = signal;
    return { data: { agents: [] } };
  };
  const { signal } = new AbortController();
  await engine.execute(prepared, call, signal);
  expect(given).toBe(signal);
});
