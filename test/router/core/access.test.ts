import type { Scope } from '../../../lib/call/principal.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { type CoreOptions, createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { callAs, stillClock } from './world.ts';

const fleet = new Fleet();
const base = { supergraphSdl: fleetSupergraph, caller: fleet, clock: stillClock };
const strict = createEngine({ ...base, enforceAccess: true, gateIntrospection: true });
const open = createEngine(base);

async function ask(query: string, scopes: Scope[], { engine = strict, variables = {} } = {}): Promise<GraphAnswer> {
  const prepared = await engine.prepare({ query, variables });
  return isRefused(prepared) ? { errors: prepared.errors } : engine.execute(prepared, callAs(...scopes));
}

beforeEach(() => {
  fleet.asked.length = 0;
});

test('a caller with the scope reads the field; admin reads what viewer may', async () => {
  expect(await ask('{ agent(id: "a1") { name } }', ['viewer'])).toEqual({ data: { agent: { name: 'agent a1' } } });
  expect(await ask('{ agent(id: "a1") { name token } }', ['admin'])).toEqual({
    data: { agent: { name: 'agent a1', token: 'secret' } },
  });
});

test.each([
  ['plainly', '{ agent(id: "a1") { name token } }', ['agent', 'token']],
  ['under an alias', '{ agent(id: "a1") { innocent: token } }', ['agent', 'innocent']],
  ['in a fragment', 'query { agent(id: "a1") { ...F } } fragment F on Agent { token }', ['agent', 'token']],
  ['behind an interface', '{ node(id: "a1") { id ... on Agent { token } } }', ['node', 'token']],
  [
    'behind another entity',
    '{ alerts { agent { alerts { agent { token } } } } }',
    ['alerts', 'agent', 'alerts', 'agent', 'token'],
  ],
  ['in a mutation', 'mutation { retire(id: "a1") { id } }', ['retire']],
  ['of a closed type', '{ node(id: "r1") { ... on Receipt { id } } }', ['node', 'id']],
])('a closed field is refused %s, and nothing is asked', async (_, query, path) => {
  const answer = await ask(query, ['viewer']);
  expect(answer.data).toBeUndefined();
  expect(answer.errors).toEqual([
    {
      message: expect.stringContaining('your scopes do not open '),
      path,
      extensions: { code: 'FORBIDDEN', retryable: false, requestId: 'request-1' },
    },
  ]);
  expect(fleet.asked).toEqual([]);
});

test('what a condition takes out needs no scope', async () => {
  const query = 'query ($secret: Boolean!) { agent(id: "a1") { name token @include(if: $secret) } }';
  expect(await ask(query, ['viewer'], { variables: { secret: false } })).toEqual({
    data: { agent: { name: 'agent a1' } },
  });
  expect((await ask(query, ['viewer'], { variables: { secret: true } })).errors).toHaveLength(1);
});

test('behind an interface, only objects of an open type are shown', async () => {
  const query = '{ first: node(id: "a1") { id } second: node(id: "r1") { id } }';
  expect(await ask(query, ['viewer'])).toEqual({
    data: { first: { id: 'a1' }, second: null },
    errors: [
      {
        message: 'your scopes do not open Receipt.id',
        path: ['second', 'id'],
        extensions: { code: 'FORBIDDEN', retryable: false, requestId: 'request-1' },
      },
    ],
  });
  expect(await ask(query, ['admin'])).toEqual({ data: { first: { id: 'a1' }, second: { id: 'r1' } } });
});

test('a field without a rule is closed to everybody where access is enforced, and open where it is not', async () => {
  const query = '{ agent(id: "a1") { unruled } }';
  expect((await ask(query, ['admin'])).errors?.[0]).toMatchObject({
    path: ['agent', 'unruled'],
    extensions: { code: 'FORBIDDEN' },
  });
  expect(await ask(query, ['viewer'], { engine: open })).toEqual({ data: { agent: { unruled: 'open?' } } });
  expect((await ask('{ agent(id: "a1") { token } }', ['viewer'], { engine: open })).errors).toHaveLength(1);
});

test('introspection needs schema:read where it is gated, and so does any hint of it', async () => {
  const query = '{ __schema { queryType { name } } __type(name: "Agent") { name } }';
  expect(await ask(query, ['viewer'])).toEqual({
    errors: [
      {
        message: 'introspection needs the scope schema:read',
        extensions: { code: 'INTROSPECTION_DISABLED', retryable: false, requestId: 'request-1' },
      },
    ],
  });
  const told = { data: { __schema: { queryType: { name: 'Query' } }, __type: { name: 'Agent' } } };
  expect(await ask(query, ['schema:read'])).toEqual(told);
  expect(await ask(query, [], { engine: open })).toEqual(told);
  expect(await ask('{ __typename }', [])).toEqual({ data: { __typename: 'Query' } });
  const mistake = '{ agent(id: "a1") { nam } }';
  expect(JSON.stringify(await ask(mistake, ['viewer']))).not.toContain('Did you mean');
  expect(JSON.stringify(await ask(mistake, ['viewer'], { engine: open }))).toContain('Did you mean');
});

test('a supergraph without rules is open to all', async () => {
  const options: CoreOptions = {
    ...base,
    supergraphSdl: fleetSupergraph.replace(/@access\(scopes: \[[^\]]*\]\)/g, ''),
  };
  const plain = createEngine(options);
  expect(await ask('{ agent(id: "a1") { token } node(id: "r1") { id } }', [], { engine: plain })).toEqual({
    data: { agent: { token: 'secret' }, node: { id: 'r1' } },
  });
});

test('rules hold whatever a link calls the directive', async () => {
  const renamed = fleetSupergraph
    .replaceAll('@access(scopes', '@opens(scopes')
    .replace('import: ["@access"]', 'import: [{ name: "@access", as: "@opens" }]');
  expect(renamed).toContain('as: "@opens"');
  const engine = createEngine({ ...base, supergraphSdl: renamed });
  const answer = await ask('{ agent(id: "a1") { token } }', ['viewer'], { engine });
  expect(answer.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
  expect(fleet.asked).toEqual([]);
});

const CONTRACTS_LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@interfaceObject", "@composeDirective"])
  @link(url: "https://fleetgraph.dev/access/v1.0", import: ["@access"])
  @composeDirective(name: "@access")
directive @access(scopes: [String!]!) on FIELD_DEFINITION | OBJECT | INTERFACE
`;
const contracts = composeSupergraph([
  {
    name: 'media',
    url: 'http://127.0.0.1/media',
    sdl: `${CONTRACTS_LINK}
interface Media @key(fields: "id") { id: ID! title: String @access(scopes: "auditor") }
interface Sold @access(scopes: ["admin"]) { price: Int }
type Book implements Media & Sold @key(fields: "id") { id: ID! title: String @access(scopes: ["viewer"]) price: Int pages: Int }
type Film implements Media @key(fields: "id") { id: ID! title: String }
type Query { media: [Media!] book: Book }`,
  },
  {
    name: 'notes',
    url: 'http://127.0.0.1/notes',
    sdl: `${CONTRACTS_LINK}
type Media @key(fields: "id") @interfaceObject { id: ID! secret: String @access(scopes: ["admin"]) }
type Query { noted: [Media!] }`,
  },
]);

test('a rule of an interface’s field, or of the interface, holds for its objects beside their own', async () => {
  const engine = createEngine({ ...base, supergraphSdl: contracts });
  const refused = async (query: string, ...scopes: Scope[]) => {
    const prepared = await engine.prepare({ query });
    if (isRefused(prepared)) throw new Error(JSON.stringify(prepared.errors));
    const { errors, data } = await engine.execute(prepared, callAs(...scopes));
    return data === undefined ? errors?.map(({ message }) => message) : [];
  };
  fleet.misbehaving = { media: () => ({ data: { book: null, media: [] } }), notes: () => ({ data: { noted: [] } }) };
  const title = ['your scopes do not open Book.title'];
  expect(await refused('{ book { title } }', 'viewer')).toEqual(title);
  expect(await refused('{ book { title } }', 'auditor')).toEqual(title);
  expect(await refused('{ book { title } }', 'viewer', 'auditor')).toEqual([]);
  expect(await refused('{ book { price } }', 'viewer')).toEqual(['your scopes do not open Book.price']);
  expect(await refused('{ book { pages id } }')).toEqual([]);
  expect(await refused('{ media { ... on Film { title } } }', 'viewer')).toEqual([
    'your scopes do not open Film.title',
  ]);
  expect(await refused('{ media { ... on Film { title } } }', 'auditor')).toEqual([]);
  for (const root of ['media', 'noted']) {
    expect(await refused(`{ ${root} { secret } }`, 'viewer')).toEqual([
      'your scopes do not open Book.secret, Film.secret',
    ]);
    expect(await refused(`{ ${root} { secret } }`, 'admin')).toEqual([]);
  }
  fleet.misbehaving = {};
});
