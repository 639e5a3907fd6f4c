import { FleetError } from '../../../lib/errors.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { type GraphRequest, isRefused, type Prepared } from '../../../router/engine.ts';
import { ByteCache } from '../../../router/plan/byte-cache.ts';
import { nativePlanner, type Planner, type PlannerMaker } from '../../../router/plan/planner.ts';
import { Fleet, fleetSupergraph } from './fleet.ts';
import { call, stillClock } from './world.ts';

const fleet = new Fleet();
const reported: string[] = [];
const base = {
  supergraphSdl: fleetSupergraph,
  caller: fleet,
  clock: stillClock,
  reportFault: ({ error }: { error: string }) => void reported.push(error),
};
const engine = createEngine({ ...base, maxTokens: 100 });

async function refusal(request: GraphRequest) {
  const prepared = await engine.prepare(request);
  if (!isRefused(prepared)) throw new Error('it was not refused');
  return prepared.errors.map(({ message, extensions, locations }) => ({
    message,
    code: extensions?.['code'],
    locations,
  }));
}

async function prepared(request: GraphRequest): Promise<Prepared> {
  const outcome = await engine.prepare(request);
  if (isRefused(outcome)) throw new Error(JSON.stringify(outcome.errors));
  return outcome;
}

test.each([
  ['a syntax error', { query: '{ agents { id }' }, 'BAD_QUERY', 'Syntax Error: Expected Name, found <EOF>.'],
  [
    'too many tokens',
    { query: `{ ${'agents '.repeat(100)} }` },
    'BAD_QUERY',
    'Syntax Error: Document contains more that 100 tokens. Parsing aborted.',
  ],
  ['an unknown field', { query: '{ nothing }' }, 'BAD_QUERY', 'Cannot query field "nothing" on type "Query".'],
  [
    'an inaccessible field',
    { query: '{ agents { hidden } }' },
    'BAD_QUERY',
    'Cannot query field "hidden" on type "Agent".',
  ],
  [
    '@defer',
    { query: '{ ... @defer { agents { id } } }' },
    'BAD_INPUT',
    '@defer is not supported: ask without it, the answer comes whole',
  ],
  [
    '@stream',
    { query: '{ agents @stream { id } }' },
    'BAD_INPUT',
    '@stream is not supported: ask without it, the answer comes whole',
  ],
  [
    'several operations without a name',
    { query: 'query A { agents { id } } query B { agents { id } }' },
    'BAD_QUERY',
    'the document has several operations: say which by operationName',
  ],
  [
    'a name no operation has',
    { query: 'query A { agents { id } }', operationName: 'B' },
    'BAD_QUERY',
    'the document has no operation of that name',
  ],
  [
    'a missing variable',
    { query: 'query ($id: ID!) { agent(id: $id) { id } }' },
    'BAD_INPUT',
    'Variable "$id" of required type "ID!" was not provided.',
  ],
  [
    'a subscription whose field is conditional',
    { query: 'subscription ($x: Boolean!) { alertChanged @include(if: $x) { cursor } }', variables: { x: true } },
    'BAD_QUERY',
    "a subscription's field cannot be conditional",
  ],
  [
    'a subscription whose field is conditional in a fragment',
    {
      query:
        'subscription ($x: Boolean!) { ...F } fragment F on Subscription { alertChanged @skip(if: $x) { cursor } }',
      variables: { x: true },
    },
    'BAD_QUERY',
    "a subscription's field cannot be conditional",
  ],
  [
    'an alias that a planner makes itself',
    { query: '{ agents { _internal_qp_alias_0: name } }' },
    'BAD_QUERY',
    '_internal_qp_alias_0 cannot be an alias',
  ],
])('%s is refused before anything runs', async (_, request: GraphRequest, code, message) => {
  const [first] = await refusal(request);
  expect(first).toMatchObject({ code, message });
});

test('an operationName that is no name stands for nothing, and for no other request', async () => {
  const own = { query: 'query A {\n agents { id } }', operationName: 'A' };
  const foreign = { query: ' agents { id } }', operationName: 'A\nquery A {' };
  for (const request of [foreign, { ...own, operationName: '' }, { ...own, operationName: '\n' }]) {
    expect(await refusal(request)).toEqual([
      { message: 'the document has no operation of that name', code: 'BAD_QUERY', locations: undefined },
    ]);
  }
  expect((await prepared(own)).name).toBe('A');
  expect((await prepared({ query: own.query })).name).toBe('A');
});

test('a preparation tells what the operation is', async () => {
  const query =
    'query Fleet ($id: ID!, $n: Boolean = true) { one: agent(id: $id) { id } ...F } fragment F on Query { agents { id @include(if: $n) } ...G } fragment G on Query { __typename }';
  const outcome = await prepared({ query, variables: { id: 7 } });
  expect(outcome).toMatchObject({
    kind: 'query',
    name: 'Fleet',
    rootFields: ['agent', 'agents', '__typename'],
    variables: { id: '7', n: true },
    cost: expect.any(Number),
    introspects: false,
  });
  expect(outcome.document.definitions).toHaveLength(3);
  expect(
    (await prepared({ query: '{ ...F } fragment F on Query { __schema { queryType { name } } }' })).introspects,
  ).toBe(true);
  expect((await prepared({ query: 'mutation { retire(id: 1) { id } }' })).kind).toBe('mutation');
});

test('a document is planned once for each outcome of its conditions', async () => {
  const planned: string[] = [];
  const counting = (planner: Planner): Planner => ({
    plan: (document, name) => {
      planned.push(document);
      return planner.plan(document, name);
    },
  });
  const counted = createEngine({ ...base, planner: (sdl) => counting(nativePlanner()(sdl)) });
  const query = 'query ($n: Boolean!) { agents { id name @include(if: $n) } }';
  const both = [true, true, false, true, false].map((n) => counted.prepare({ query, variables: { n } }));
  await Promise.all(both);
  expect(planned).toHaveLength(2);
  await counted.prepare({ query: `${query} `, variables: { n: true } });
  expect(planned).toHaveLength(3);
  expect(counted.caches).toMatchObject({ documents: { entries: 2, misses: 2 }, plans: { entries: 3, misses: 3 } });
  expect(counted.caches['plans']?.sizeBytes).toBeGreaterThan(3 * 1_000);
});

test('what nothing can plan is an internal fault, told without its reason', async () => {
  const failing = () => ({ plan: () => Promise.reject(new Error('no way to http://10.0.0.3')) });
  const broken = createEngine({ ...base, planner: failing, secondPlanner: failing });
  const outcome = await broken.prepare({ query: '{ agents { id } }' });
  expect(outcome).toEqual({
    errors: [
      { message: 'the router could not plan this operation', extensions: { code: 'INTERNAL', retryable: false } },
    ],
  });
  expect(reported).toContain('no way to http://10.0.0.3');
});

const NO_PLANS: [string, Planner['plan']][] = [
  ['nothing', async () => undefined],
  ['a node nobody knows', async () => ({ kind: 'Defer', primary: {}, deferred: [] })],
];
test.each(NO_PLANS)('a plan of %s for a real operation is no plan', async (_, plan) => {
  const planner: PlannerMaker = () => ({ plan });
  const empty = createEngine({ ...base, planner, secondPlanner: planner });
  expect(await empty.prepare({ query: '{ agents { id } }' })).toMatchObject({
    errors: [{ extensions: { code: expect.stringMatching('BAD_QUERY|INTERNAL') } }],
  });
});

test('the second planner takes over what the first cannot', async () => {
  const failing = () => ({ plan: () => Promise.reject(new Error('first failed')) });
  const engineOf = (on: boolean) =>
    createEngine({ ...base, planner: failing, flags: fixedFlags({ 'router.apollo-fallback': on }) });
  const second = engineOf(true);
  const outcome = await second.prepare({ query: '{ agents { name alerts { title } } }' });
  if (isRefused(outcome)) throw new Error('refused');
  expect(await second.execute(outcome, call)).toEqual({
    data: {
      agents: [
        { name: 'agent a1', alerts: [{ title: 'alert l1' }] },
        { name: 'agent a2', alerts: [{ title: 'alert l2' }] },
      ],
    },
  });
  const alone = await engineOf(false).prepare({ query: '{ agents { name } }' });
  expect(isRefused(alone) && alone.errors[0]?.extensions).toMatchObject({ code: 'INTERNAL' });
});

test('introspection and data come in one answer, and nothing is asked for introspection alone', async () => {
  fleet.asked.length = 0;
  const introspection = '{ __schema { types { name } } kind: __typename }';
  const answer = await engine.execute(await prepared({ query: introspection }), call);
  expect(answer.data?.['kind']).toBe('Query');
  const { __schema: told } = answer.data as { __schema: { types: { name: string }[] } };
  const names = told.types.map(({ name }) => name);
  expect(names).toContain('Agent');
  expect(names.filter((name) => /^(join|link)__/.test(name))).toEqual([]);
  expect(fleet.asked).toEqual([]);
  const mixed = await engine.execute(
    await prepared({ query: '{ agents { id } __type(name: "Agent") { kind } }' }),
    call,
  );
  expect(mixed).toEqual({ data: { agents: [{ id: 'a1' }, { id: 'a2' }], __type: { kind: 'OBJECT' } } });
});

test.each(['mutation', 'subscription'])('a %s on a schema that has none is the client’s mistake', async (kind) => {
  const supergraphSdl = composeSupergraph([{ name: 'a', url: 'http://a/', sdl: 'type Query { a: Int }' }]);
  const outcome = await createEngine({ ...base, supergraphSdl }).prepare({ query: `${kind} { a }` });
  expect(outcome).toMatchObject({
    errors: [{ message: `the schema has no ${kind}s`, extensions: { code: 'BAD_QUERY', retryable: false } }],
  });
});

test('a cache forgets what was used longest ago, by weight', () => {
  const cache = new ByteCache<number>(100);
  cache.set('a', 1, 40);
  cache.set('b', 2, 40);
  expect(cache.get('a')).toBe(1);
  cache.set('c', 3, 40);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([1, undefined, 3]);
  cache.set('c', 4, 10);
  expect(cache.size).toEqual({ entries: 2, sizeBytes: 50, hits: 3, misses: 1 });
  cache.set('huge', 5, 101);
  expect(cache.get('huge')).toBeUndefined();
});

test('what a slow planner refuses for its time goes to the other; that it passes is not forgotten where both fail', async () => {
  const plan = () => Promise.reject(new FleetError('OVERLOADED', 'too many'));
  const flags = fixedFlags({ 'router.apollo-fallback': true });
  const slow: PlannerMaker = () => ({ isSlow: true, plan });
  const query = '{ agents { id } }';
  const helped = createEngine({ ...base, flags, planner: slow, secondPlanner: nativePlanner() });
  expect(isRefused(await helped.prepare({ query }))).toBe(false);
  let count = 0;
  const failing: PlannerMaker = () => ({
    plan: () => {
      count += 1;
      return Promise.reject(new Error('no way'));
    },
  });
  const both = createEngine({ ...base, flags, planner: slow, secondPlanner: failing });
  for (const expected of [1, 2]) {
    expect(await both.prepare({ query })).toMatchObject({ errors: [{ extensions: { code: 'OVERLOADED' } }] });
    expect(count).toBe(expected);
  }
});

test('what one engine has planned another plans ahead, by name and by condition, the most asked for first', async () => {
  const asked: GraphRequest[] = [
    { query: '{ agents { id } }' },
    { query: 'query A { agents { id } } query B { agents { name } }', operationName: 'B' },
    {
      query: 'query ($yes: Boolean!, $no: Boolean!) { agents { id @include(if: $yes) name @skip(if: $no) } }',
      variables: { yes: true, no: false },
    },
  ];
  const before = createEngine(base);
  for (const [at, request] of asked.entries()) {
    for (let time = 0; time <= at; time++) await before.prepare(request);
  }
  const hottest = before.hottest(10);
  expect(hottest.map(({ query, operationName, conditions }) => ({ query, operationName, conditions }))).toEqual([
    { query: asked[2]?.query, operationName: undefined, conditions: [false, true] },
    { query: asked[1]?.query, operationName: 'B', conditions: [] },
    { query: asked[0]?.query, operationName: undefined, conditions: [] },
  ]);
  expect(before.hottest(1)).toHaveLength(1);
  const after = createEngine(base);
  for (const operation of hottest) await after.planAhead(operation);
  await after.planAhead({ query: '{ gone }', operationName: undefined, conditions: [] });
  // What is not planned yet is promised.
  for (const request of asked) expect(after.prepare(request)).not.toBeInstanceOf(Promise);
  const other = { ...asked[2], variables: { yes: false, no: false } } as GraphRequest;
  expect(after.prepare(other)).toBeInstanceOf(Promise);
});
