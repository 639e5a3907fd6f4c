import type { AnyShape } from '../../support/house.ts';
import { type AskOptions, type Harbour, openHarbour, SHIP } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

const PLAN = `query ($query: String!, $variables: JSON, $name: String, $run: Boolean) {
  queryPlan(query: $query, variables: $variables, operationName: $name, run: $run) {
    operationName rootFields cost tookMs errors
    nodes { kind depth subgraph operation fields path variable representations startedMs tookMs }
  }
}`;

const plan = async (variables: object, options: AskOptions = {}): Promise<AnyShape> => {
  const answer = await harbour.ask(PLAN, { variables, ...options });
  return { ...answer.data?.queryPlan, refusal: answer.errors?.[0] };
};
const QUERY = 'query One($id: ID!, $more: Boolean!) { crews ship(id: $id) { name crew @include(if: $more) } }';

test('a plan is shown as a tree with what is sent, and nothing is sent', async () => {
  const before = harbour.sea.calls.length;
  const shown = await plan({ query: QUERY, variables: { id: SHIP, more: true }, name: 'One' });
  expect(shown).toMatchObject({ operationName: 'One', rootFields: ['crews', 'ship'], tookMs: null, errors: null });
  expect(shown.cost).toBeGreaterThanOrEqual(1);
  const entities = shown.nodes.find(({ kind }: AnyShape) => kind === 'ENTITIES');
  expect(entities).toMatchObject({ subgraph: 'crews', fields: ['crew'], path: ['ship'], tookMs: null });
  expect(entities.operation).toContain('_entities');
  expect(entities.depth).toBeGreaterThan(0);
  expect(shown.nodes[0]).toMatchObject({ depth: 0, subgraph: null });
  expect(harbour.sea.calls.length).toBe(before);
});

test('a query is run as its caller, and each step tells what it took', async () => {
  const shown = await plan({ query: QUERY, variables: { id: SHIP, more: true }, run: true });
  expect(shown.tookMs).toBeGreaterThanOrEqual(0);
  expect(shown.errors).toBe(0);
  const fetches = shown.nodes.filter(({ subgraph }: AnyShape) => subgraph);
  expect(fetches).toHaveLength(3);
  for (const fetch of fetches) expect(fetch.tookMs).toBeGreaterThanOrEqual(0);
  expect(fetches.find(({ kind }: AnyShape) => kind === 'ENTITIES').representations).toBe(1);
  harbour.sea.tokens.set('viewer-token', { id: 'key-1', kind: 'SCRIPT', name: 'viewer', scopes: ['viewer'] });
  const refused = await plan({ query: '{ secret }', run: true }, { token: 'viewer-token' });
  expect(refused).toMatchObject({ errors: 1, nodes: [{ subgraph: 'ships', tookMs: null }] });
});

test('a stream is shown with what joins its events', async () => {
  const { nodes } = await plan({ query: 'subscription { shipMoved { cursor node { name crew } } }' });
  expect(nodes.slice(0, 2).map(({ kind, depth, subgraph }: AnyShape) => [kind, depth, subgraph])).toEqual([
    ['SEQUENCE', 0, null],
    ['STREAM', 1, 'ships'],
  ]);
  expect(nodes.at(-1)).toMatchObject({ kind: 'ENTITIES', subgraph: 'crews', fields: ['crew'] });
});

test('what asks no subgraph has no steps', async () => {
  expect((await plan({ query: '{ __typename }' })).nodes).toEqual([]);
});

test.each([
  [{ query: '{ nothing }' }, 'BAD_QUERY', 'Cannot query field'],
  [{ query: '{' }, 'BAD_QUERY', 'Syntax Error'],
  [{ query: '{ crews }', variables: [1] }, 'BAD_INPUT', 'variables are an object'],
  [{ query: 'mutation { sail(to: "x") }', run: true }, 'BAD_INPUT', 'a mutation is planned, not run'],
  [{ query: '{ queryPlan(query: "{ crews }", run: true) { cost } }', run: true }, 'BAD_INPUT', 'does not run itself'],
])('%j is refused', async (variables, code, message) => {
  const { refusal } = await plan(variables);
  expect(refusal).toMatchObject({ message: expect.stringContaining(message), extensions: { code } });
});

test('a run is charged what it costs', async () => {
  const { url } = await harbour.another({ limits: { adminPerSecond: 3 } });
  const run = () => harbour.ask(PLAN, { variables: { query: '{ crews }', run: true }, url });
  const answers = [await run(), await run(), await run()];
  expect(answers.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions?.['code']))).toContain(
    'RATE_LIMITED',
  );
});
