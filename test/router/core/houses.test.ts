import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  getNamedType,
  graphql,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
} from 'graphql';
import { loadAccessTable, scopesOf } from '../../../lib/access.ts';
import { FleetError } from '../../../lib/errors.ts';
import { createEngine } from '../../../router/core.ts';
import { type GraphAnswer, isRefused } from '../../../router/engine.ts';
import { AccessRules, accessTables } from '../../../router/supergraph/access-rules.ts';
import { call, stillClock } from './world.ts';

const ROOT = path.resolve(__dirname, '../../..');
const read = (name: string) => readFileSync(path.join(ROOT, 'schema', `${name}.graphql`), 'utf8');
const supergraphSdl = read('supergraph');
const HOUSES = readdirSync(path.join(ROOT, 'schema'))
  .filter((file) => /^(?!supergraph|api).*\.graphql$/.test(file))
  .map((file) => file.replace('.graphql', ''));
const schemas = new Map(HOUSES.map((house) => [house, buildSubgraphSchema(parse(read(house)))]));

/** A value of a type as its house might give it; always the same. */
function sampleOf(type: GraphQLOutputType): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType);
  if (isListType(type)) return [sampleOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.value;
  if (!isLeafType(type)) return {};
  return { Int: 1, Float: 1.5, Boolean: true }[type.name] ?? (type.name === 'ID' ? 'id' : 'text');
}
const fieldResolver: GraphQLFieldResolver<Record<string, unknown>, unknown> = (self, _args, _context, info) =>
  self?.[info.fieldName] ?? sampleOf(info.returnType);

/** Every house answers by its schema; those that are stopped do not. */
async function ask(query: string, stopped?: string): Promise<GraphAnswer> {
  const engine = createEngine({
    supergraphSdl,
    clock: stillClock,
    enforceAccess: true,
    caller: {
      async execute(house, { query: source, variables = {} }) {
        if (house === stopped) throw new FleetError('SUBGRAPH_UNAVAILABLE', `${house} is stopped`, { subgraph: house });
        const schema = schemas.get(house) as GraphQLSchema;
        const typeResolver: GraphQLTypeResolver<{ __typename?: string }, unknown> = (value, _, info, type) =>
          value.__typename ?? info.schema.getPossibleTypes(type)[0]?.name;
        const answer = await graphql({ schema, source, variableValues: variables, fieldResolver, typeResolver });
        return JSON.parse(JSON.stringify(answer));
      },
      subscribe() {
        throw new Error('no streams here');
      },
    },
  });
  const prepared = await engine.prepare({ query });
  return isRefused(prepared) ? { errors: prepared.errors } : engine.execute(prepared, call);
}

const { schema } = createEngine({ supergraphSdl, clock: stillClock, caller: {} as never });

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return `[${literalOf(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name as string;
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return `{${needed.map((field) => `${field.name}: ${literalOf(field.type)}`).join(', ')}}`;
  }
  return { Int: '1', Float: '1', Boolean: 'true' }[type.name] ?? '"text"';
}

/** Every field of a type, so many levels down. */
function selectionOf(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const needed = field.args.filter((argument) => isNonNullType(argument.type) && argument.defaultValue === undefined);
    const given = needed.map((argument) => `${argument.name}: ${literalOf(argument.type)}`);
    const head = given.length > 0 ? `${field.name}(${given.join(', ')})` : field.name;
    const below = getNamedType(field.type);
    if (!isCompositeType(below)) return [head];
    if (depth === 0) return [];
    if (!isObjectType(below)) return [`${head} { __typename }`];
    const inner = selectionOf(below, depth - 1);
    return inner === '' ? [] : [`${head} { ${inner} }`];
  });
  return fields.join(' ');
}

/** `Type.field` → the houses that have it. */
const owners = new Map<string, readonly string[]>();
const supergraph = parse(supergraphSdl);
for (const definition of supergraph.definitions) {
  if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
  for (const field of definition.fields ?? []) {
    const graphs = [...(field.directives ?? []), ...(definition.directives ?? [])].filter(({ name }) =>
      ['join__field', 'join__type'].includes(name.value),
    );
    const of = (kind: string) =>
      graphs
        .filter(({ name }) => name.value === kind)
        .flatMap(({ arguments: given = [] }) =>
          given.flatMap(({ name, value }) =>
            name.value === 'graph' && value.kind === Kind.ENUM ? [value.value.toLowerCase()] : [],
          ),
        );
    const own = of('join__field');
    owners.set(`${definition.name.value}.${field.name.value}`, own.length > 0 ? own : of('join__type'));
  }
}

/** The answer as it is to be without a house: its fields null, and what cannot be without them; all else as it was. */
function without(house: string, type: GraphQLObjectType, value: Record<string, unknown>): object | null {
  const left = Object.entries(value).map(([key, part]) => {
    const { type: of } = type.getFields()[key] as GraphQLField<unknown, unknown>;
    const isGone = owners.get(`${type.name}.${key}`)?.join() === house;
    return [key, isGone ? null : partWithout(house, of, part), isNonNullType(of)] as const;
  });
  return left.some(([, part, isNeeded]) => isNeeded && part === null) ? null : Object.fromEntries(left);
}

function partWithout(house: string, type: GraphQLOutputType, part: unknown): unknown {
  if (isNonNullType(type)) return partWithout(house, type.ofType, part);
  if (isListType(type) && Array.isArray(part)) {
    const items = part.map((item) => partWithout(house, type.ofType, item));
    return isNonNullType(type.ofType) && items.includes(null) ? null : items;
  }
  return isObjectType(type) && part !== null ? without(house, type, part as Record<string, unknown>) : part;
}

const query = `{ ${selectionOf(schema.getQueryType() as GraphQLObjectType, 2)} }`;
let whole: Record<string, unknown>;

test('all houses together answer every root field', async () => {
  const answer = await ask(query);
  expect(answer.errors).toBeUndefined();
  whole = answer.data as Record<string, unknown>;
  expect(Object.keys(whole).sort()).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort());
  expect(Object.values(whole)).not.toContain(null);
});

test.each(HOUSES)('with %s stopped its fields are null with a code, and all else is whole', async (house) => {
  const { data, errors = [] } = await ask(query, house);
  expect(data).toEqual(without(house, schema.getQueryType() as GraphQLObjectType, whole));
  expect(new Set(errors.map(({ extensions }) => extensions?.['code']))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  const roots = Object.keys(whole).filter((key) => owners.get(`Query.${key}`)?.join() === house);
  for (const root of roots) expect(errors.filter((error) => error.path?.join() === root)).toHaveLength(1);
});

test('router and houses go by one table: every field of every object has its rule, and it is the same in all', () => {
  const table = loadAccessTable(ROOT);
  const rules = new AccessRules(accessTables(supergraph));
  const wrong: string[] = [];
  for (const definition of supergraph.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    const type = definition.name.value;
    for (const { name } of definition.fields ?? []) {
      const expected = scopesOf(table, type, name.value);
      const known = rules.scopesOf(type, name.value);
      const isSame = known.length === 1 && JSON.stringify(known[0]) === JSON.stringify(expected);
      if (!isSame) wrong.push(`${type}.${name.value}: the router has ${JSON.stringify(known)}, the table ${expected}`);
    }
  }
  for (const house of HOUSES) {
    const own = new AccessRules(accessTables(parse(read(house))));
    for (const definition of parse(read(house)).definitions) {
      if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
      const type = definition.name.value;
      for (const { name } of definition.fields ?? []) {
        const [known] = own.scopesOf(type, name.value);
        const expected = scopesOf(table, type, name.value);
        if (!expected || known?.join() !== expected.join()) {
          wrong.push(`${house} ${type}.${name.value}: it has ${known}, the table ${expected}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});
