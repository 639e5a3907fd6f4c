import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  buildSchema,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  graphql,
  isAbstractType,
  isObjectType,
  parse,
} from 'graphql';
import type { Principal } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import type { GraphAnswer, SubgraphCaller } from '../../../router/engine.ts';

/** What three subgraphs hold between them; one monolithic schema answers the same from it. */
export interface World {
  names: Record<string, string>;
  log: string[];
}

interface Thing {
  __typename: string;
  id: string;
  [field: string]: unknown;
}

type Resolver = (self: Thing, args: Record<string, unknown>, world: World) => unknown;

const PEOPLE = ['p1', 'p2', 'p3', 'p4', 'p5'];
const POSTS = ['o1', 'o2', 'o3', 'o4'];
const PAGES = ['g1', 'g2'];

export function newWorld(): World {
  const all = [...PEOPLE, ...POSTS, ...PAGES];
  return { names: Object.fromEntries(all.map((id) => [id, `name of ${id}`])), log: [] };
}

const KINDS: Record<string, string> = { p: 'Person', o: 'Post', g: 'Page' };
const thing = (id: string): Thing => ({ __typename: KINDS[id[0] as string] as string, id });
const numberOf = (self: Thing) => Number(self.id.slice(1));
const person = (number: number) => thing(`p${((number - 1) % PEOPLE.length) + 1}`);
const post = (number: number) => thing(`o${((number - 1) % POSTS.length) + 1}`);
const first = (ids: string[], args: Record<string, unknown>) => ids.slice(0, Number(args['first'])).map(thing);
const exists = (world: World, id: unknown) => Object.hasOwn(world.names, String(id));
const isA = (kind: string, world: World, id: unknown) => String(id).startsWith(kind) && exists(world, id);
const nameOf: Resolver = (self, _, world) => world.names[self.id];
function fail(message: string): never {
  throw new Error(message);
}

/** `Type.field` → its answer, in whichever schema the field is. */
const RESOLVERS: Record<string, Resolver> = {
  'Query.person': (_, { id }, world) => (isA('p', world, id) ? thing(String(id)) : null),
  'Query.people': (_, args) => first(PEOPLE, args),
  'Query.me': () => thing('p1'),
  'Person.name': nameOf,
  'Person.mood': (self) => (numberOf(self) % 2 ? 'CALM' : 'TENSE'),
  'Person.friends': (self, args) => [1, 2, 3].slice(0, Number(args['first'])).map((n) => person(numberOf(self) + n)),
  'Person.boss': (self) => (self.id === 'p1' ? null : person(1)),
  'Person.grid': (self) => [[person(numberOf(self)), null], [], [person(numberOf(self) + 1)]],
  'Person.age': (self) => 20 + numberOf(self),
  'Person.faulty': (self) => (self.id === 'p2' ? fail('at http://10.0.0.1') : 'fine'),
  'Person.strict': (self) => (self.id === 'p3' ? fail('strictly') : self.id === 'p4' ? null : 'strict'),
  'Mutation.rename': (_, { id, name }, world) => {
    world.log.push(`rename ${id} ${name}`);
    if (!isA('p', world, id)) return null;
    world.names[String(id)] = String(name);
    return thing(String(id));
  },
  'Query.post': (_, { id }, world) => (isA('o', world, id) ? thing(String(id)) : null),
  'Query.posts': (_, args) => first(POSTS, args),
  'Query.subjects': () => [thing('p1'), thing('o1'), null, thing('g1'), thing('p3')],
  'Query.works': () => [thing('o2'), thing('g2')],
  'Person.posts': (self, args) => [0, 1, 2].slice(0, Number(args['first'])).map((n) => post(numberOf(self) + n)),
  'Person.favourite': (self) => [post(1), person(2), thing('g1'), null, post(2)][numberOf(self) - 1],
  'Person.rank': (self) => (self['age'] === undefined ? 20 + numberOf(self) : Number(self['age'])) * 2,
  'Post.name': nameOf,
  'Post.author': (self) => person(numberOf(self)),
  'Post.reviewer': (self) => (self.id === 'o2' ? null : person(numberOf(self) + 2)),
  'Post.about': (self) => [person(numberOf(self) + 1), post(numberOf(self) + 1), thing('g2')],
  'Post.text': (self, { length }) => `text of ${self.id}`.slice(0, Number(length ?? 4)),
  'Page.name': nameOf,
  'Page.author': (self) => (self.id === 'g2' ? null : person(4)),
  'Mutation.publish': (_, { name }, world) => {
    world.log.push(`publish ${name}`);
    world.names['o1'] = String(name);
    return thing('o1');
  },
  'Query.node': (_, { id }, world) => (exists(world, id) ? thing(String(id)) : null),
  'Query.nodes': (_, { ids }, world) => (ids as string[]).map((id) => (exists(world, id) ? thing(id) : null)),
  'Query.totals': () => ({ __typename: 'Totals', id: 'totals' }),
  'Totals.posts': () => POSTS.length,
  'Totals.top': () => post(3),
  'Totals.risky': () => fail('no totals'),
  'Post.likes': (self) => numberOf(self) * 10,
  'Post.views': (self, { since }) => (self.id === 'o3' ? null : numberOf(self) + Number(since)),
  'Post.comments': (self) => [
    { __typename: 'Comment', id: `c${numberOf(self)}` },
    { __typename: 'Comment', id: `c${numberOf(self) + 1}` },
  ],
  'Comment.by': (self) => person(numberOf(self)),
  'Comment.words': (self) => ['word', null, self.id],
  'Comment.on': (self) => post(numberOf(self)),
  'Person.score': (self, { bonus }) => {
    // counts has never heard of p5
    if (self.id === 'p5') return null;
    const { by = 0, times = [] } = (bonus ?? {}) as { by?: number; times?: number[] };
    return numberOf(self) * 100 + by + times.length;
  },
};

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires"])`;

/** Shared types, which every schema may say. */
const PEOPLE_SDL = `
interface Node { id: ID! }
interface Named { name: String! }
enum Mood { CALM TENSE }
type Person implements Node & Named @key(fields: "id") {
  id: ID! name: String! mood: Mood friends(first: Int = 2): [Person!]! boss: Person grid: [[Person]!] age: Int! faulty: String strict: String!
}
type Query { person(id: ID!): Person people(first: Int = 3): [Person!] me: Person! }
type Mutation { rename(id: ID!, name: String!): Person }
`;
const WRITINGS_SDL = `
interface Node { id: ID! }
interface Named { name: String! }
interface Work implements Node & Named { id: ID! name: String! author: Person }
type Person @key(fields: "id") { id: ID! age: Int! @external posts(first: Int = 2): [Post!]! favourite: Subject rank: Int @requires(fields: "age") }
type Post implements Node & Named & Work @key(fields: "id") {
  id: ID! name: String! author: Person! reviewer: Person about: [Subject!] text(length: Int): String
}
type Page implements Node & Named & Work @key(fields: "id") { id: ID! name: String! author: Person }
union Subject = Person | Post | Page
type Query { post(id: ID!): Post posts(first: Int = 2): [Post!]! subjects: [Subject] works: [Work!] }
type Mutation { publish(name: String!): Post }
`;
const COUNTS_SDL = `
interface Node { id: ID! }
type Person implements Node @key(fields: "id") { id: ID! score(bonus: Bonus): Int! }
type Post implements Node @key(fields: "id") { id: ID! likes: Int! views(since: Int = 0): Int comments: [Comment!] }
type Page implements Node @key(fields: "id", resolvable: false) { id: ID! }
type Comment { by: Person words: [String] on: Post! }
input Bonus { by: Int = 1 times: [Int!] }
type Totals { posts: Int! top: Post risky: Int }
type Query { totals: Totals node(id: ID!): Node nodes(ids: [ID!]!): [Node]! }
`;
export const SUBGRAPH_SDL: Record<string, string> = { people: PEOPLE_SDL, writings: WRITINGS_SDL, counts: COUNTS_SDL };

const MONOLITH_SDL = `
interface Node { id: ID! }
interface Named { name: String! }
interface Work implements Node & Named { id: ID! name: String! author: Person }
enum Mood { CALM TENSE }
input Bonus { by: Int = 1 times: [Int!] }
union Subject = Person | Post | Page
type Person implements Node & Named {
  id: ID! name: String! mood: Mood friends(first: Int = 2): [Person!]! boss: Person grid: [[Person]!] age: Int! faulty: String strict: String!
  posts(first: Int = 2): [Post!]! favourite: Subject rank: Int score(bonus: Bonus): Int!
}
type Post implements Node & Named & Work {
  id: ID! name: String! author: Person! reviewer: Person about: [Subject!] text(length: Int): String
  likes: Int! views(since: Int = 0): Int comments: [Comment!]
}
type Page implements Node & Named & Work { id: ID! name: String! author: Person }
type Comment { by: Person words: [String] on: Post! }
type Totals { posts: Int! top: Post risky: Int }
type Query {
  person(id: ID!): Person people(first: Int = 3): [Person!] me: Person! post(id: ID!): Post posts(first: Int = 2): [Post!]!
  subjects: [Subject] works: [Work!] totals: Totals node(id: ID!): Node nodes(ids: [ID!]!): [Node]!
}
type Mutation { rename(id: ID!, name: String!): Person publish(name: String!): Post }
`;

function resolving(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type) && type.name !== '_Entity') type.resolveType = (value) => (value as Thing).__typename;
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = RESOLVERS[`${type.name}.${field.name}`];
      if (resolve)
        field.resolve = ((self, args, world) => resolve(self, args, world)) as GraphQLFieldResolver<Thing, World>;
    }
  }
  return schema;
}

function subgraphSchema(name: string, sdl: string): GraphQLSchema {
  const reference = {
    __resolveReference: (key: Thing) => (name === 'counts' && key.id === 'p5' ? null : { ...key, ...thing(key.id) }),
  };
  const resolvers = { Person: reference, Post: reference, Page: reference };
  const held = Object.entries(resolvers).filter(([type]) => new RegExp(`type ${type}\\b[^{]*@key`).test(sdl));
  return resolving(
    buildSubgraphSchema({ typeDefs: parse(`${LINK}\n${sdl}`), resolvers: Object.fromEntries(held) as never }),
  );
}

export const monolith = resolving(buildSchema(MONOLITH_SDL));
const subgraphs = Object.fromEntries(
  Object.entries(SUBGRAPH_SDL).map(([name, sdl]) => [name, subgraphSchema(name, sdl)]),
);

export const supergraphSdl = composeSupergraph(
  Object.entries(SUBGRAPH_SDL).map(([name, sdl]) => ({
    name,
    url: `http://127.0.0.1/${name}`,
    sdl: `${LINK}\n${sdl}`,
  })),
);

/** A request as a subgraph got it. */
export interface Asked {
  subgraph: string;
  query: string;
  variables: Record<string, unknown>;
}

/** Runs each subgraph's own schema over a world, answers as JSON as over the wire. */
export function callerOf(world: World, asked: Asked[] = []): SubgraphCaller {
  return {
    async execute(subgraph, { query, variables = {} }) {
      asked.push({ subgraph, query, variables });
      const schema = subgraphs[subgraph] as GraphQLSchema;
      const answer = await graphql({ schema, source: query, variableValues: variables, contextValue: world });
      return JSON.parse(JSON.stringify(answer)) as GraphAnswer;
    },
    subscribe: () => fail('these subgraphs have no streams'),
  };
}

const ADMIN: Principal = { id: 'admin', kind: 'PERSON', name: 'admin', scopes: ['admin'] };
export const call: Call = { principal: ADMIN, requestId: 'request-1' };

/** The same call by somebody with these scopes. */
export function callAs(...scopes: Principal['scopes'][number][]): Call {
  return { ...call, principal: { ...ADMIN, scopes } };
}

/** A clock that stands, with numbers that do not vary. */
export const stillClock: Clock = {
  nowMs: () => 0,
  uuid: () => '00000000-0000-7000-8000-000000000000',
  random: () => 0.5,
};
