import { type OperationDefinitionNode, parse } from 'graphql';
import { systemClock } from '../../../lib/clock.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { createEngine } from '../../../router/core.ts';
import { isRefused } from '../../../router/engine.ts';
import { CostRules, costTables } from '../../../router/limits/cost-rules.ts';
import { operationCost } from '../../../router/limits/operation-cost.ts';
import { fragmentsOf } from '../../../router/plan/operation.ts';

const SHOP = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@shareable", "@cost", { name: "@listSize", as: "@size" }])
type Query {
  item(id: ID): Item
  plain: [Item]
  first(first: Int, last: Int): [Item]
  assumed: [Item] @size(assumedSize: 7)
  page(first: Int = 20, after: String): ItemConnection
  sized(take: Int): Shelf
    @size(slicingArguments: ["take"], sizedFields: ["items"], requireOneSlicingArgument: false, assumedSize: 4)
  strict(first: Int, last: Int): [Item] @size(slicingArguments: ["first", "last"])
  dear: Item @cost(weight: 30)
  search(filter: Filter, text: String @cost(weight: 5)): Item
  any: Thing
  tag: Tag
  total: Int
  free: Free
}
type Mutation { buy(id: ID): Item dearly(id: ID): Item @cost(weight: 50) }
type Subscription { sold: Item }
input Filter { name: String words: [String] @cost(weight: 3) inner: Filter }
type Shelf { items: [Item] name: String }
type ItemConnection { edges: [ItemEdge] nodes: [Item] total: Int }
type ItemEdge { node: Item }
interface Thing { id: ID parts: [Item] @size(assumedSize: 2) }
type Item implements Thing @key(fields: "id") { id: ID name: String parts: [Item] @size(assumedSize: 2) tag: Tag sub(first: Int): [Item] }
type Box implements Thing { id: ID parts: [Item] @size(assumedSize: 2) heavy: Int @cost(weight: 9) }
type Free @cost(weight: 0) { item: Item }
scalar Tag @cost(weight: 6)`;
const OTHER = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Item @key(fields: "id") { id: ID stock: Int }`;

const supergraphSdl = composeSupergraph([
  { name: 'shop', url: 'http://shop/graphql', sdl: SHOP },
  { name: 'other', url: 'http://other/graphql', sdl: OTHER },
]);
const engine = createEngine({
  supergraphSdl,
  clock: systemClock,
  caller: {
    execute: () => Promise.reject(new Error('nothing is called')),
    async *subscribe() {
      yield { answer: { data: null } };
    },
  },
});

async function costOf(query: string, variables: Record<string, unknown> = {}): Promise<number | string | undefined> {
  const prepared = await engine.prepare({ query, variables });
  return isRefused(prepared) ? prepared.errors[0]?.message : prepared.cost;
}

test.each([
  ['leaves cost nothing, an operation at least one point', '{ total }', 1],
  ['an object is one point', '{ item { id name } }', 1],
  ['objects within objects add up', '{ item { parts { id } } }', 3],
  ['a list of unknown length is ten', '{ plain { id } }', 10],
  ['first says how long a list is', '{ first(first: 3) { id } }', 3],
  ['of several the largest', '{ first(first: 3, last: 5) { id } }', 5],
  ['a number below zero is none', '{ first(first: -3) { id } }', 1],
  ['an assumed size is taken', '{ assumed { id } }', 7],
  ['a connection’s first is its nodes’ length', '{ page(first: 4) { nodes { id } } }', 5],
  ['and its edges’, each with a node', '{ page(first: 4) { edges { node { id } } } }', 9],
  ['a standard value counts', '{ page { nodes { id } } }', 21],
  ['a connection’s total is free', '{ page(first: 100) { total } }', 1],
  ['a sized field takes its length from its parent', '{ sized(take: 3) { items { id } } }', 4],
  ['one that is not given leaves the assumed size', '{ sized { items { id } name } }', 5],
  ['a field’s own weight', '{ dear { id } }', 30],
  ['a type’s own weight', '{ item { tag } tag }', 13],
  ['a type may be free', '{ free { item { id } } }', 1],
  ['lists within lists multiply', '{ first(first: 3) { sub(first: 4) { id } } }', 15],
  ['an argument’s weight', '{ search(text: "a") { id } }', 6],
  ['an argument that is null costs nothing', '{ search(text: null) { id } }', 1],
  ['weights within inputs', '{ search(filter: { words: ["a", "b"], inner: { words: "c" } }) { id } }', 10],
  ['each root field of a mutation is ten', 'mutation { one: buy { id } two: buy { id } }', 22],
  ['beside its own weight', 'mutation { dearly { id } }', 60],
  ['a subscription costs one event', 'subscription { sold { id } }', 1],
  [
    'a field asked for twice counts once',
    '{ item { id } item { name parts { id } } ...F } fragment F on Query { item { id } }',
    3,
  ],
  ['aliases count each', '{ a: item { id } b: item { id } }', 2],
  ['of fragments on several types the dearest', '{ any { id ... on Item { tag } ... on Box { heavy } } }', 10],
  ['and what all have beside it', '{ any { parts { id } ... on Box { heavy } ... on Thing { id } } }', 12],
  ['what is skipped costs nothing', '{ item { id } dear @skip(if: true) { id } }', 1],
  ['introspection is one point', '{ __schema { types { name } } __typename }', 1],
])('%s', async (_, query, cost) => {
  expect(await costOf(query)).toBe(cost);
});

test('variables decide what literals do, and one plan serves them all', async () => {
  const query =
    'query ($n: Int, $m: Int = 2, $f: Filter) { first(first: $n) { sub(first: $m) { id } } search(filter: $f) { id } }';
  expect(await costOf(query, { n: 3, m: 4 })).toBe(16);
  expect(await costOf(query, { n: 3 })).toBe(10);
  expect(await costOf(query, {})).toBe(31);
  expect(await costOf(query, { n: 0, f: { words: ['a', 'b'] } })).toBe(7);
  expect(await costOf('query ($n: Int) { sized(take: $n) { items { id } } }', { n: 9 })).toBe(10);
  expect(await costOf('query ($skip: Boolean!) { total dear @skip(if: $skip) { id } }', { skip: false })).toBe(30);
  expect(await costOf('query ($skip: Boolean!) { total dear @skip(if: $skip) { id } }', { skip: true })).toBe(1);
});

test('a cost beyond GraphQL’s Int is the largest Int', async () => {
  const most = '2147483647';
  const query = `{ first(first: ${most}) { sub(first: ${most}) { sub(first: ${most}) { id } } } }`;
  expect(await costOf(query)).toBe(2 ** 31 - 1);
});

test('where exactly one slicing argument is asked for, none or two are refused', async () => {
  expect(await costOf('{ strict(first: 2) { id } }')).toBe(2);
  const refusal = 'strict needs exactly one of first, last';
  expect(await costOf('{ strict { id } }')).toBe(refusal);
  expect(await costOf('{ strict(first: 1, last: 2) { id } }')).toBe(refusal);
  expect(await costOf('query ($n: Int) { strict(first: $n) { id } }')).toBe(refusal);
  expect(await costOf('query ($n: Int) { strict(first: $n) { id } }', { n: 6 })).toBe(6);
});

test('directives go by the names the supergraph gives them', () => {
  const supergraph = parse(`schema @link(url: "https://specs.apollo.dev/cost/v0.1", as: "price") { query: Query }
    type Query { a: Int @price(weight: "2.5") b: [Int] @price__listSize(assumedSize: 3) c: Int @cost(weight: 9) }`);
  const rules = new CostRules(costTables(supergraph));
  expect(rules.weightOf('Query.a')).toBe(2.5);
  expect(rules.sizeOf('Query.b')).toMatchObject({ assumedSize: 3, requireOneSlicingArgument: false });
  expect(rules.weightOf('Query.c')).toBeUndefined();
});

test('fragments that nest to many thousands of selections are refused, not laid out', () => {
  const inner = (at: number) => [1, 2, 3].map((n) => `a${n}: parts { ...F${at + 1} }`).join(' ');
  const fragments = Array.from({ length: 20 }, (_, at) => `fragment F${at} on Item { ${inner(at)} }`);
  const document = parse(`{ item { ...F0 } } ${fragments.join(' ')} fragment F20 on Item { id }`);
  const options = {
    schema: engine.schema,
    conditions: {},
    rules: new CostRules(costTables(parse('type Query { a: Int }'))),
  };
  const definition = document.definitions[0] as OperationDefinitionNode;
  expect(() => operationCost(definition, { ...options, fragments: fragmentsOf(document) })).toThrow('selections');
});
