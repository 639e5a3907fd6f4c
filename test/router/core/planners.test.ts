import { buildSubgraphSchema } from '@apollo/subgraph';
import { type GraphQLSchema, graphql, parse } from 'graphql';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused, type SubgraphCaller } from '../../../router/engine.ts';
import { APOLLO_LIMITS, apolloPlanner } from '../../../router/plan/apollo-planner.ts';
import { nativePlanner, PLANNING_LIMITS, type PlannerMaker } from '../../../router/plan/planner.ts';
import { systemPause } from '../../../router/subscribe/pause.ts';
import { call, stillClock } from './world.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@interfaceObject", "@shareable"])`;

/** Media is an interface in one subgraph and, as an interface object, a plain type in the other. */
const SDL: Record<string, string> = {
  shelf: `
    interface Media @key(fields: "id") { id: ID! title: String }
    type Book implements Media @key(fields: "id") { id: ID! title: String pages(unit: String): [Page!] size: Size }
    type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }
    type Page @shareable { number: Int }
    type Size @shareable { height: Int }
    type Query { media: [Media!] book: Book }`,
  critics: `
    type Media @interfaceObject @key(fields: "id") { id: ID! stars: Int }
    type Query { best: Media }`,
  scales: `
    type Book @key(fields: "id") {
      id: ID! pages(unit: String): [Page!] @external size: Size @external
      weight: Int @requires(fields: "pages(unit: \\"sheet\\") { number } size { height }")
    }
    type Page @shareable { number: Int @external }
    type Size @shareable { height: Int @external }`,
};
const BOOK = { __typename: 'Book', id: 'b', title: 'Book' };
const FILM = { __typename: 'Film', id: 'f', title: 'Film', minutes: 90 };
const RESOLVERS: Record<string, object> = {
  shelf: {
    Media: {
      __resolveType: ({ id }: { id: string }) => (id === 'b' ? 'Book' : 'Film'),
      __resolveReference: ({ id }: { id: string }) => (id === 'b' ? BOOK : FILM),
    },
    Book: {
      __resolveReference: () => BOOK,
      pages: (_: unknown, { unit }: { unit?: string }) =>
        unit === 'sheet' ? [{ number: 1 }, { number: 2 }, { number: 3 }] : [{ number: 7 }],
      size: () => ({ height: 10 }),
    },
    Query: { media: () => [BOOK, FILM], book: () => BOOK },
  },
  critics: {
    Media: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      stars: ({ id }: { id: string }) => (id === 'b' ? 5 : 2),
    },
    Query: { best: () => ({ id: 'f' }) },
  },
  scales: {
    Book: {
      __resolveReference: (book: object) => book,
      weight: ({ pages, size }: { pages: object[]; size: { height: number } }) => pages.length * size.height,
    },
  },
};
const sdlOf = (name: string) => `${LINK}\n${SDL[name]}`;
const schemas: Record<string, GraphQLSchema> = Object.fromEntries(
  Object.keys(SDL).map((name) => [
    name,
    buildSubgraphSchema({ typeDefs: parse(sdlOf(name)), resolvers: RESOLVERS[name] as never }),
  ]),
);
const supergraphSdl = composeSupergraph(
  Object.keys(SDL).map((name) => ({ name, url: `http://${name}`, sdl: sdlOf(name) })),
);

const caller: SubgraphCaller = {
  async execute(subgraph, { query, variables = {} }) {
    const schema = schemas[subgraph] as GraphQLSchema;
    return JSON.parse(JSON.stringify(await graphql({ schema, source: query, variableValues: variables })));
  },
  subscribe() {
    throw new Error('no streams');
  },
};

async function ask(query: string, planner: PlannerMaker): Promise<GraphAnswer> {
  const engine = createEngine({
    flags: fixedFlags({ 'router.apollo-fallback': true }),
    supergraphSdl,
    caller,
    clock: stillClock,
    planner,
    secondPlanner: apolloPlanner(),
  });
  const prepared = await engine.prepare({ query });
  return isRefused(prepared) ? { errors: prepared.errors } : engine.execute(prepared, call);
}

describe.each([
  ["the native planner and Apollo's behind it", nativePlanner()],
  ["Apollo's planner", apolloPlanner({ labels: new Set(['moving']) })],
])('with %s', (_, planner) => {
  test('interface objects are found under their real type', async () => {
    expect(await ask('{ best { __typename title stars ... on Film { minutes } } media { stars } }', planner)).toEqual({
      data: { best: { __typename: 'Film', title: 'Film', stars: 2, minutes: 90 }, media: [{ stars: 5 }, { stars: 2 }] },
    });
  });

  test('a field is computed from what it requires, lists and objects alike', async () => {
    expect(await ask('{ book { weight } }', planner)).toEqual({ data: { book: { weight: 30 } } });
  });
});

test.each([nativePlanner(), apolloPlanner()])(
  'what a field requires is not taken from what the client asks for',
  async (planner) => {
    const query = '{ book { weight pages(unit: "other") { number } } }';
    expect(await ask(query, planner)).toEqual({ data: { book: { weight: 30, pages: [{ number: 7 }] } } });
    const aliased = '{ book { weight size: pages { number } id: title __typename: title } }';
    expect(await ask(aliased, planner)).toEqual({
      data: { book: { weight: 30, size: [{ number: 7 }], id: 'Book', __typename: 'Book' } },
    });
  },
);

test("a field that is required with different arguments is not planned by Apollo's planner, which would mix them up", async () => {
  const shade = 'shade: Int @requires(fields: "pages(unit: \\"leaf\\") { number }")';
  const twice = composeSupergraph(
    Object.keys(SDL).map((name) => {
      const sdl = name === 'scales' ? sdlOf(name).replace('weight: Int', `${shade} weight: Int`) : sdlOf(name);
      return { name, url: `http://${name}`, sdl };
    }),
  );
  const planner = apolloPlanner()(twice);
  await expect(planner.plan('{ book { weight shade } }', undefined)).rejects.toThrow('would be mixed up');
});

test('a pause ends at its time, or at once when its signal fires', async () => {
  const leaving = new AbortController();
  await systemPause(1, leaving.signal);
  const long = systemPause(3_600_000, leaving.signal);
  leaving.abort();
  await long;
  await systemPause(3_600_000, leaving.signal);
});

describe('planning has limits', () => {
  const document = '{ book { weight } }';

  test("Apollo's thread is ended when a plan takes too long, and made anew for the next", async () => {
    const hasty = apolloPlanner({}, { ...APOLLO_LIMITS, timeoutMs: 1 })(supergraphSdl);
    // The first may take its time: the thread has to start.
    expect((await hasty.plan(document, undefined))?.kind).toBe('Sequence');
    const large = `{ ${Array.from({ length: 300 }, (_, at) => `a${at}: book { weight }`).join(' ')} }`;
    await expect(hasty.plan(large, undefined)).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' });
    expect((await hasty.plan(document, undefined))?.kind).toBe('Sequence');
    const patient = apolloPlanner()(supergraphSdl);
    const [one, other] = await Promise.all([patient.plan(document, undefined), patient.plan(document, undefined)]);
    expect(one).toEqual(other);
    expect(one?.kind).toBe('Sequence');
  });

  test("more operations than may wait for Apollo's planner are refused", async () => {
    const busy = apolloPlanner({}, { ...APOLLO_LIMITS, waiting: 1 })(supergraphSdl);
    const first = busy.plan(document, undefined);
    await expect(busy.plan(document, undefined)).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(await first).toBeDefined();
  });

  test('the native planner takes only so many new operations at once, and remembers no refusal that passes', async () => {
    const engine = createEngine({
      flags: fixedFlags({ 'router.apollo-fallback': true }),
      supergraphSdl,
      caller,
      clock: stillClock,
      planner: nativePlanner({}, { ...PLANNING_LIMITS, atOnce: 1 }),
    });
    const queries = ['{ book { weight } }', '{ book { weight __typename } }'];
    const both = await Promise.all(queries.map((query) => engine.prepare({ query })));
    expect(both.map((outcome) => isRefused(outcome) && outcome.errors[0]?.extensions)).toEqual([
      false,
      { code: 'OVERLOADED', retryable: true, retryAfterMs: 1_000 },
    ]);
    expect(isRefused(await engine.prepare({ query: queries[1] as string }))).toBe(false);
  });

  test('what the native planner takes too long for is refused, and not given to the other', async () => {
    const hasty = nativePlanner({}, { ...PLANNING_LIMITS, timeoutMs: 0 })(supergraphSdl);
    // The first may take its time: the planning process reads the supergraph.
    expect((await hasty.plan('{ book { weight } }', undefined))?.kind).toBe('Sequence');
    const fields = Array.from({ length: 300 }, (_, at) => `a${at}: book { weight }`).join(' ');
    expect(await ask(`{ ${fields} }`, () => hasty)).toMatchObject({
      errors: [{ extensions: { code: 'QUERY_TOO_LARGE' } }],
    });
  });
});
