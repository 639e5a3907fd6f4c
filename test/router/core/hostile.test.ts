import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import type { MaskedFault } from '../../../router/execute/faults.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { call, callAs, stillClock } from './world.ts';

let fleet: Fleet;
let reported: string[];

beforeEach(() => {
  fleet = new Fleet();
  reported = [];
});

/** What the subgraph of agents says, as it comes over the wire. */
function agentsSay(text: string): void {
  fleet.misbehaving['agents'] = () => JSON.parse(text);
}

async function ask(
  query: string,
  { enforceAccess = false, as = call, supergraphSdl = fleetSupergraph } = {},
): Promise<GraphAnswer> {
  const reportFault = ({ error }: MaskedFault) => void reported.push(error);
  const options = { supergraphSdl, caller: fleet, clock: stillClock, reportFault, enforceAccess };
  const engine = createEngine(options);
  const prepared = await engine.prepare({ query });
  return isRefused(prepared) ? { errors: prepared.errors } : engine.execute(prepared, as);
}

const extensions = { code: 'INTERNAL', retryable: false, requestId: 'request-1' };
const masked = (...path: (string | number)[]) => ({
  message: 'something went wrong inside: tell us the requestId',
  path,
  extensions,
});
const misshapen = (coordinate: string, ...path: (string | number)[]) => ({
  message: `its subgraph gave ${coordinate} a value that is not of its type`,
  path,
  extensions,
});
const noAnswer = (...path: (string | number)[]) => ({
  message: 'agents gave an answer that is none',
  path,
  extensions: { code: 'SUBGRAPH_UNAVAILABLE', retryable: true, subgraph: 'agents', requestId: 'request-1' },
});

test.each([
  ['null', '{"_entities":null}', ['alerts']],
  ['nowhere', '{}', ['alerts']],
  ['no list', '{"_entities":{"0":{"name":"x"}}}', ['alerts']],
  ['too few', '{"_entities":[{"name":"one"}]}', ['alerts', 1, 'agent']],
  ['no objects', '{"_entities":[{"name":"one"},["two"]]}', ['alerts', 1, 'agent']],
  ['of another type', '{"_entities":[{"name":"one"},{"__typename":"Alert","name":"two"}]}', ['alerts', 1, 'agent']],
])('entities that are %s leave fields null, and that is told', async (_, data, path) => {
  agentsSay(`{"data":${data}}`);
  const answer = await ask('{ alerts { id agent { name } } }');
  const name = path.length > 1 ? 'one' : null;
  expect(answer).toEqual({
    data: {
      alerts: [
        { id: 'l1', agent: { name } },
        { id: 'l2', agent: { name: null } },
      ],
    },
    errors: [noAnswer(...path)],
  });
});

test('an entity that is null is one nobody knows, which is no fault', async () => {
  agentsSay('{"data":{"_entities":[null,{"name":"two"}]}}');
  expect(await ask('{ alerts { agent { name } } }')).toEqual({
    data: { alerts: [{ agent: { name: null } }, { agent: { name: 'two' } }] },
  });
});

test('a root field that is not in the answer at all is null, and that is told', async () => {
  agentsSay('{"data":{"agents":[]}}');
  expect(await ask('{ agents { name } one: agent(id: "a1") { id } alerts { id } }')).toEqual({
    data: { agents: [], one: null, alerts: [{ id: 'l1' }, { id: 'l2' }] },
    errors: [noAnswer('one')],
  });
});

test.each([
  ['an object', '{"a":1}'],
  ['a list', '["x"]'],
  ['a number', '7'],
  ['a truth', 'true'],
  ['a million lists', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
])('a text that is %s is null, and that is told', async (_, value) => {
  agentsSay(`{"data":{"agents":[{"name":${value}},{"name":"fine"}]}}`);
  expect(await ask('{ agents { name } alerts { id } }')).toEqual({
    data: { agents: [{ name: null }, { name: 'fine' }], alerts: [{ id: 'l1' }, { id: 'l2' }] },
    errors: [misshapen('Agent.name', 'agents', 0, 'name')],
  });
});

test('lists without end cost their own field alone, also on the way to entities', async () => {
  const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
  agentsSay(`{"data":{"agents":${deep}}}`);
  const told = { data: { agents: null, alerts: [{ id: 'l1' }, { id: 'l2' }] } };
  const answer = await ask('{ agents { name alerts { id } } alerts { id } }');
  expect(answer).toEqual({ ...told, errors: [misshapen('Query.agents', 'agents', 0)] });
  agentsSay(`{"data":{"agents":[{"__typename":"Agent","id":${deep}}]}}`);
  expect(await ask('{ agents { alerts { id } } alerts { id } }')).toEqual({
    data: { ...told.data, agents: [{ alerts: null }] },
    errors: [masked('agents', 0)],
  });
});

test.each([
  ['a text', '"agents"'],
  ['objects', '[{"a":1}]'],
  ['another subgraph’s field', '["alerts"]'],
  ['numbers alone', '[9,9,9]'],
  ['a prototype', '["__proto__"]'],
  ['a number below zero', '["agents",-1]'],
  ['a path without end', JSON.stringify(Array(1_000).fill('agents'))],
])('an error whose path is %s is told on the fields that were asked for', async (_, path) => {
  agentsSay(`{"data":{"agents":null},"errors":[{"message":"at 10.0.0.1","path":${path}}]}`);
  expect(await ask('{ agents { name } alerts { id } }')).toEqual({
    data: { agents: null, alerts: [{ id: 'l1' }, { id: 'l2' }] },
    errors: [masked('agents')],
  });
  expect(reported).toEqual(['at 10.0.0.1']);
});

test('of an error’s extensions a client sees those that are known, and what they should be', async () => {
  const told = { code: 'NOT_FOUND', retryAfterMs: 5, field: ['id'], cursor: 'c1', subgraph: 'agents' };
  const error = (more: object) =>
    JSON.stringify({ message: 'no such agent', path: ['agents'], extensions: { ...told, ...more } });
  agentsSay(`{"data":{"agents":null},"errors":[${error({ stacktrace: ['at x'], sql: 'select' })}]}`);
  const shown = { ...told, retryable: false, requestId: 'request-1' };
  expect((await ask('{ agents { id } }')).errors).toEqual([
    { message: 'no such agent', path: ['agents'], extensions: shown },
  ]);
  const wrong = { retryAfterMs: 'soon', field: { host: '10.0.0.1' }, cursor: ['c'], subgraph: 'x'.repeat(2_000) };
  agentsSay(`{"data":{"agents":null},"errors":[${error(wrong)}]}`);
  expect((await ask('{ agents { id } }')).errors).toEqual([
    { message: 'no such agent', path: ['agents'], extensions: { ...extensions, code: 'NOT_FOUND' } },
  ]);
});

test('a message tells no stack and no system call under any code, and has an end', async () => {
  for (const message of ['no\n    at find (/srv/agents.js:1:2)', 'connect ECONNREFUSED 10.0.0.1:5432']) {
    const error = { message, path: ['agents'], extensions: { code: 'NOT_FOUND' } };
    agentsSay(JSON.stringify({ data: { agents: null }, errors: [error] }));
    expect((await ask('{ agents { id } }')).errors).toEqual([masked('agents')]);
  }
  const error = { message: 'x'.repeat(100_000), path: ['agents'], extensions: { code: 'NOT_FOUND' } };
  agentsSay(JSON.stringify({ data: { agents: null }, errors: [error] }));
  expect((await ask('{ agents { id } }')).errors?.[0]?.message).toHaveLength(1_000);
});

test.each([
  ['says nothing of its type', '{"id":"r1"}'],
  ['says it is of the interface', '{"__typename":"Node","id":"r1"}'],
])('of an object that %s nothing is shown that is closed for any it could be', async (_, node) => {
  fleet.misbehaving['router'] = () => JSON.parse(`{"data":{"node":${node}}}`);
  const options = { enforceAccess: true, as: callAs('viewer') };
  expect(await ask('{ node(id: "r1") { id } }', options)).toEqual({
    data: { node: null },
    errors: [
      {
        message: 'your scopes do not open Node.id',
        path: ['node', 'id'],
        extensions: { ...extensions, code: 'FORBIDDEN' },
      },
    ],
  });
  expect(await ask('{ node(id: "r1") { id } }', { ...options, as: callAs('admin') })).toEqual({
    data: { node: { id: 'r1' } },
  });
});

test('a type that is none, or no member here, is told', async () => {
  for (const typename of ['"Nothing"', '"Query"', '7', '{}', '"__proto__"', '"toString"']) {
    fleet.misbehaving['router'] = () => JSON.parse(`{"data":{"node":{"__typename":${typename},"id":"x"}}}`);
    expect(await ask('{ node(id: "x") { id } }')).toEqual({
      data: { node: null },
      errors: [misshapen('Query.node', 'node')],
    });
  }
});

test('keys that objects inherit are keys like others, and no answer is read from what is inherited', async () => {
  agentsSay('{"data":{"constructor":null,"toString":null,"valueOf":{"id":"a1"}}}');
  const roots = '{ constructor: agent(id: "a") { id } toString: agent(id: "b") { id } valueOf: agent(id: "c") { id } }';
  expect(await ask(roots)).toEqual({ data: { constructor: null, toString: null, valueOf: { id: 'a1' } } });
  fleet.misbehaving = {};
  expect(await ask('{ agent(id: "a1") { constructor: name hasOwnProperty: id __defineGetter__: state } }')).toEqual({
    data: { agent: { constructor: 'agent a1', hasOwnProperty: 'a1', __defineGetter__: 'RUNNING' } },
  });
  expect(await ask('{ alerts { agent { valueOf: name toString: token } } }')).toEqual({
    data: {
      alerts: [
        { agent: { valueOf: 'agent a1', toString: 'secret' } },
        { agent: { valueOf: 'agent a2', toString: 'secret' } },
      ],
    },
  });
});

const SCALARS = composeSupergraph([
  {
    name: 'agents',
    url: 'http://127.0.0.1/agents',
    sdl: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
scalar Any
type Query { int: Int float: Float truth: Boolean id: ID any: Any grid: [[Int]] }`,
  },
]);

test.each([
  ['int', '0', '0'],
  ['int', '-2147483648', '-2147483648'],
  ['int', '2147483648', undefined],
  ['int', '1.5', undefined],
  ['int', '"1"', undefined],
  ['int', 'true', undefined],
  ['float', '1.5', '1.5'],
  ['float', '7', '7'],
  ['float', '1e999', undefined],
  ['float', '"1.5"', undefined],
  ['truth', 'false', 'false'],
  ['truth', '0', undefined],
  ['truth', '"true"', undefined],
  ['id', '"a"', '"a"'],
  ['id', '12', '"12"'],
  ['id', '1.5', undefined],
  ['id', '9007199254740993', undefined],
  ['any', '{"a":[1,{"b":null}]}', '{"a":[1,{"b":null}]}'],
  ['grid', '[[1,null],null,[]]', '[[1,null],null,[]]'],
  ['grid', '{"0":[1]}', undefined],
])('of a field %s the value %s is shown as %s', async (field, value, shown) => {
  agentsSay(`{"data":{"${field}":${value}}}`);
  const answer = await ask(`{ ${field} }`, { supergraphSdl: SCALARS });
  expect(answer).toEqual({
    data: { [field]: shown === undefined ? null : JSON.parse(shown) },
    ...(shown === undefined ? { errors: [misshapen(`Query.${field}`, field)] } : {}),
  });
});
