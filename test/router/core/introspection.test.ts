import { buildSchema, getIntrospectionQuery, graphqlSync, Kind, type OperationDefinitionNode, parse } from 'graphql';
import { introspect } from '../../../router/execute/introspection.ts';
import { introspectionOf } from '../../../router/plan/introspection.ts';
import { fragmentsOf } from '../../../router/plan/operation.ts';

const times = (n: number, part: (at: number) => string) => Array.from({ length: n }, (_, at) => part(at)).join('\n');

/** Types that lead to each other, enough of them for a hundred turns of the loop. */
const SCHEMA = buildSchema(`
  type Query { ${times(300, (at) => `t${at}(a: In, b: [E!]! = [X]): T${at}`)} }
  ${times(300, (at) => `"""the ${at}th""" type T${at} { next: T${(at + 1) % 300}! many: [T${at}!]! old: Int @deprecated }`)}
  input In @oneOf { a: Int b: [In!] } enum E { X Y @deprecated }
`);

async function asked(query: string, variables: object = {}, mostParts?: number): Promise<Record<string, unknown>> {
  const document = parse(query);
  const definition = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const introspection = introspectionOf(definition as OperationDefinitionNode, fragmentsOf(document), document);
  if (!introspection) throw new Error('no introspection in it');
  const texts = await introspect(SCHEMA, introspection, variables as never, mostParts);
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, JSON.parse(text)]));
}

const EVERYTHING = {
  inputValueDeprecation: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  oneOf: true,
};

test.each([
  ['what tools ask', getIntrospectionQuery(EVERYTHING), {}],
  [
    'names, aliases, fragments and conditions',
    `query ($old: Boolean = true, $name: String!, $not: Boolean!, $in: In) {
      __typename t0(a: $in) { old } a: __schema { __typename queryType { ...T kind } } b: __type(name: $name) { ...T name @skip(if: $not) }
      ... on Query { __type(name: "E") { enumValues(includeDeprecated: $old) { name isDeprecated } } none: __type(name: "No") { name } }
    }
    fragment T on __Type { called: name is: __typename fields(includeDeprecated: $old) { name type { ... on __Type { kind ofType { name } } } } }`,
    { name: 'T7', not: true },
  ],
])('introspection, a bit at a time, tells what graphql-js would: %s', async (_, query, variables) => {
  const { data } = graphqlSync({ schema: SCHEMA, source: query, variableValues: variables });
  const { __typename: _root, t0: _field, ...told } = data as Record<string, unknown>;
  expect(await asked(query, variables)).toEqual(JSON.parse(JSON.stringify(told)));
});

test('it leaves turns of the loop to others', async () => {
  let turns = 0;
  let isDone = false;
  const tick = () => {
    turns += 1;
    if (!isDone) setImmediate(tick);
  };
  setImmediate(tick);
  await asked(getIntrospectionQuery());
  isDone = true;
  expect(turns).toBeGreaterThan(3);
});

test('what would tell much more than there is is refused on the way', async () => {
  await expect(asked(getIntrospectionQuery(), {}, 10_000)).rejects.toMatchObject({
    code: 'QUERY_TOO_LARGE',
    message: 'introspection tells at most 10000 parts',
  });
});
