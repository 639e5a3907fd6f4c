import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { buildSchema, type GraphQLSchema, graphql, isAbstractType, isObjectType, parse } from 'graphql';
import type { GraphAnswer, SubgraphCaller } from '../../../router/engine.ts';
import { monolithSdl, subgraphSdl } from './random-sdl.ts';
import { type Field, MOODS, namedOf, RandomShape } from './random-shape.ts';

/** What changes while operations run: each mutation is noted, and every text tells how many there were. */
export interface Happening {
  log: string[];
}

/** An object of the graph; what a subgraph was told of it beside its key is under the fields' names. */
interface Thing {
  __typename: string;
  n: number;
  /** A field of another subgraph that this one knows of it too. */
  provided?: string | undefined;
  [field: string]: unknown;
}

const THINGS = 4;

/** A graph drawn from a seed: split over subgraphs, and whole. */
export interface RandomWorld {
  readonly seed: number;
  /** Undefined when the subgraphs do not compose; then `problems` says why. */
  readonly supergraphSdl: string | undefined;
  readonly problems: readonly string[];
  readonly monolith: GraphQLSchema;
  callerOf(happening: Happening): SubgraphCaller;
}

export function randomWorld(seed: number): RandomWorld {
  const shape = new RandomShape(seed);
  const sources = shape.subgraphs.map((name) => ({ name, sdl: subgraphSdl(shape, name) }));
  const whole = buildSchema(monolithSdl(shape));
  const monolith = resolving(whole, shape);
  // Hints do not matter here: a router is given supergraphs of any make.
  const composed = composeServices(
    sources.map(({ name, sdl }) => ({ name, url: `http://127.0.0.1/${name}`, typeDefs: parse(sdl) })),
  );
  const schemas = new Map<string, GraphQLSchema>();
  const schemaOf = (subgraph: string) => {
    const known = schemas.get(subgraph);
    if (known) return known;
    const sdl = sources.find(({ name }) => name === subgraph)?.sdl as string;
    const references = shape.entities.filter(({ presences }) => presences.has(subgraph));
    const resolvers = Object.fromEntries(references.map(({ name }) => [name, { __resolveReference: finderOf(name) }]));
    const made = resolving(
      buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: resolvers as never }),
      shape,
      subgraph,
    );
    schemas.set(subgraph, made);
    return made;
  };
  return {
    seed,
    supergraphSdl: composed.errors ? undefined : composed.supergraphSdl,
    problems: (composed.errors ?? []).map(({ message }) => message),
    monolith,
    callerOf: (happening) => ({
      async execute(subgraph, { query, variables = {} }) {
        const schema = schemaOf(subgraph);
        const answer = await graphql({ schema, source: query, variableValues: variables, contextValue: happening });
        return JSON.parse(JSON.stringify(answer)) as GraphAnswer;
      },
      subscribe: () => {
        throw new Error('these subgraphs have no streams');
      },
    }),
  };
}

/** Finds an entity by whichever keys it is told, which must agree. */
const finderOf = (typename: string) => (told: Record<string, unknown>) => {
  const found = Array.from({ length: THINGS }, (_, n) => n).find((n) => {
    const keys = keysOf(typename, n);
    return Object.keys(keys).every((key) => told[key] === undefined || isSame(told[key], keys[key]));
  });
  if (found === undefined || !Object.keys(keysOf(typename, 0)).some((key) => told[key] !== undefined)) {
    throw new Error(`nobody knows ${JSON.stringify(told)}`);
  }
  return { ...told, __typename: typename, n: found };
};

function isSame(told: unknown, known: unknown): boolean {
  if (typeof known !== 'object' || known === null) return told === known;
  return Object.entries(told as object).every(
    ([name, value]) => name === '__typename' || value === (known as Record<string, unknown>)[name],
  );
}

function keysOf(typename: string, n: number): Record<string, unknown> {
  return {
    id: `${typename}-${n}`,
    sku: `sku ${n} of ${typename}`,
    left: n % 2,
    right: `right ${n >> 1}`,
    place: { zone: n >> 1, number: n % 2 },
  };
}

/** Lets a schema, of one subgraph or of all, answer from the shape's data. */
function resolving(schema: GraphQLSchema, shape: RandomShape, subgraph?: string): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type) && type.name !== '_Entity') type.resolveType = (value) => (value as Thing).__typename;
    if (!isObjectType(type) || type.name.startsWith('_')) continue;
    for (const { name, resolve: given } of Object.values(type.getFields())) {
      const field = shape.field(type.name, name);
      const resolver = type.getFields()[name];
      if (!resolver || given) continue;
      if (!field) {
        if (type.name.startsWith('E')) resolver.resolve = (self: Thing) => keysOf(self.__typename, self.n)[name];
        continue;
      }
      resolver.resolve = (self: Thing | undefined, args, happening: Happening) => {
        if (subgraph !== undefined && field.closedIn === subgraph) throw new Error(`${name} is not here now`);
        const thing = self ?? { __typename: type.name, n: 0 };
        if (subgraph !== undefined && field.externals.has(subgraph) && thing.provided !== name) {
          throw new Error(`${name} is not here`);
        }
        if (type.name === 'Mutation') happening.log.push(`${name} ${JSON.stringify(args)}`);
        return answerOf(shape, field, thing, args, happening, subgraph !== undefined);
      };
    }
  }
  return schema;
}

/** What a field is. @throws Error where it is faulty */
function answerOf(
  shape: RandomShape,
  field: Field,
  thing: Thing,
  args: Readonly<Record<string, unknown>>,
  happening: Happening,
  isTold: boolean,
): unknown {
  const { requires, owner, name } = field;
  const where = `${shape.seed} ${owner}.${name} ${thing.n} ${JSON.stringify(args)}`;
  if (field.isFaulty && hashOf(`fault ${where}`) % 5 === 0) throw new Error('at http://10.0.0.1');
  if (requires) {
    const given =
      isTold && thing.provided !== requires.field.name
        ? toldOf(thing, requires.field.name, requires.picks)
        : picked(
            shape,
            answerOf(shape, requires.field, thing, requires.args, happening, false),
            requires.picks,
            happening,
          );
    return `${name} of ${JSON.stringify(given)} ${hashOf(where) % 9}`;
  }
  return drawnOf(field, field.type, where, happening, field.firmIn !== undefined);
}

function toldOf(thing: Thing, name: string, picks: readonly string[]): unknown {
  if (!(name in thing)) throw new Error(`${name} was not given`);
  const pick = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(pick);
    if (picks.length === 0 || value === null) return value;
    return picks.map((each) => {
      if (!(each in (value as object))) throw new Error(`${name}.${each} was not given`);
      return (value as Record<string, unknown>)[each];
    });
  };
  return pick(thing[name]);
}

function picked(shape: RandomShape, value: unknown, picks: readonly string[], happening: Happening): unknown {
  if (Array.isArray(value)) return value.map((each) => picked(shape, each, picks, happening));
  if (picks.length === 0 || value === null) return value;
  const thing = value as Thing;
  return picks.map((name) =>
    answerOf(shape, shape.field(thing.__typename, name) as Field, thing, {}, happening, false),
  );
}

function drawnOf(field: Field, type: string, where: string, happening: Happening, isFirm: boolean): unknown {
  const hash = hashOf(where);
  if (type.endsWith('!')) {
    if (field.isStrict && hash % 7 === 0) return null;
    return drawnOf(field, type.slice(0, -1), where, happening, true);
  }
  if (!isFirm && hash % 6 === 0) return null;
  if (type.startsWith('[')) {
    const length = hashOf(`length ${where}`) % 4;
    return Array.from({ length }, (_, at) => drawnOf(field, type.slice(1, -1), `${where} ${at}`, happening, false));
  }
  const named = namedOf(type);
  const drawn = hashOf(`value ${where}`);
  switch (named) {
    case 'String':
      return `${field.name} ${drawn % 50} after ${happening.log.length}`;
    case 'Int':
      return drawn % 1_000;
    case 'Float':
      return (drawn % 1_000) / 8;
    case 'Boolean':
      return drawn % 2 === 0;
    case 'ID':
      return `an id ${drawn % 50}`;
    case 'Mood':
      return MOODS[drawn % MOODS.length];
  }
  const members = field.members ?? [named];
  const typename = members[drawn % members.length] as string;
  return { __typename: typename, n: hashOf(`which ${where}`) % THINGS, provided: field.provides };
}

/** FNV-1a, mixed once more. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
