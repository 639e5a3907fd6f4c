import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { isRefused, type SubgraphCaller } from '../../../router/engine.ts';
import { apolloPlanner } from '../../../router/plan/apollo-planner.ts';
import { nativePlanner, type Overrides, type Planner, type PlannerMaker } from '../../../router/plan/planner.ts';
import { call, stillClock } from './world.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@override"])';
/** Fields on their way from one subgraph to another: two by a share of the operations, one by a name. */
const supergraphSdl = composeSupergraph([
  {
    name: 'old',
    url: 'http://127.0.0.1/old',
    sdl: `${LINK} type Thing @key(fields: "id") { id: ID! few: String many: String named: String } type Query { thing: Thing }`,
  },
  {
    name: 'new',
    url: 'http://127.0.0.1/new',
    sdl: `${LINK} type Thing @key(fields: "id") {
      id: ID!
      few: String @override(from: "old", label: "percent(10)")
      many: String @override(from: "old", label: "percent(62.5)")
      named: String @override(from: "old", label: "moved")
    }`,
  },
]);

/** Each field says where it came from. */
const caller: SubgraphCaller = {
  async execute(subgraph, { query }) {
    const asked = ['few', 'many', 'named'].filter((name) => new RegExp(`\\b${name}\\b`).test(query));
    const fields = Object.fromEntries(asked.map((name) => [name, subgraph]));
    return {
      data: subgraph === 'old' ? { thing: { __typename: 'Thing', id: '1', ...fields } } : { _entities: [fields] },
    };
  },
  subscribe() {
    throw new Error('no streams');
  },
};

const QUERY = '{ thing { few many named } }';

describe.each([
  ['the native planner', nativePlanner],
  ["Apollo's planner", apolloPlanner],
] as [string, (overrides?: Overrides) => PlannerMaker][])('with %s', (_, makePlanner) => {
  /** Where the fields come from for a client whose operations are drawn so, in [0, 1). */
  async function placesFor(draws: readonly number[], overrides?: Overrides) {
    let at = 0;
    let planned = 0;
    const counting = (planner: Planner): Planner => ({
      plan: (...args) => {
        planned += 1;
        return planner.plan(...args);
      },
    });
    const engine = createEngine({
      supergraphSdl,
      caller,
      clock: { ...stillClock, random: () => draws[at++ % draws.length] as number },
      planner: (sdl) => counting(makePlanner(overrides)(sdl)),
      secondPlanner: () => ({ plan: () => Promise.reject(new Error('no second planner')) }),
    });
    const places: unknown[] = [];
    for (const _draw of draws) {
      const prepared = await engine.prepare({ query: QUERY });
      if (isRefused(prepared)) throw new Error(JSON.stringify(prepared.errors));
      places.push(Object.values((await engine.execute(prepared, call)).data?.['thing'] as object).join(' '));
    }
    return { places, planned };
  }

  test('a field that moves for a share of the operations is drawn for each of them, and planned once for each outcome', async () => {
    const { places, planned } = await placesFor([0, 0.0999, 0.1, 0.624, 0.625, 0.9999, 0, 0.3, 0.9]);
    const [all, one, none] = ['new new old', 'old new old', 'old old old'];
    expect(places).toEqual([all, all, one, one, none, none, all, one, none]);
    expect(planned).toBe(3);
  });

  test('a field that moves under a name is in its new place once the name is on', async () => {
    expect((await placesFor([0.9], { labels: new Set(['moved']) })).places).toEqual(['old old new']);
    expect((await placesFor([0.9], { labels: new Set(['another']) })).places).toEqual(['old old old']);
  });
});
