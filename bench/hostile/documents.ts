import { getIntrospectionQuery } from 'graphql';

/** A family of hostile requests: the larger `n`, the worse. Written for the platform's own schema. */
export interface Family {
  name: string;
  /** The largest that is of use. */
  most: number;
  make(n: number): { query: string; variables?: object };
}

const times = (n: number, part: (at: number) => string, between = ' ') =>
  Array.from({ length: n }, (_, at) => part(at)).join(between);
const query = (text: string) => ({ query: text });
const ROOTS = [
  'fleet { total }',
  'viewer { scopes }',
  'apiKeys { id }',
  'agents { totalCount }',
  'alerts { totalCount }',
  'alertRules { totalCount }',
];
const root = (at: number) => ROOTS[at % ROOTS.length] as string;
const deep = (n: number, inner: string) =>
  `${'agents { nodes { alerts { nodes { agent { '.repeat(n)}${inner}${' } } } } }'.repeat(n)}`;

export const FAMILIES: Family[] = [
  {
    name: 'aliases of one field',
    most: 10_000,
    make: (n) => query(`{ ${times(n, (at) => `a${at}: fleet { total }`)} }`),
  },
  {
    name: 'aliases of agents with all they have',
    most: 10_000,
    make: (n) =>
      query(
        `{ ${times(n, (at) => `a${at}: agents { nodes { id name alerts { nodes { id } } logs { nodes { id } } } }`)} }`,
      ),
  },
  { name: 'one field again and again', most: 10_000, make: (n) => query(`{ ${times(n, () => 'fleet { total }')} }`) },
  {
    name: 'one field with one large argument',
    most: 1_000,
    make: (n) => query(`{ ${times(n, () => `agent(id: "${'x'.repeat(500)}") { id }`)} }`),
  },
  {
    name: 'one field with a list argument',
    most: 1_000,
    make: (n) =>
      query(`{ ${times(n, () => `agents(filter: { ids: [${times(30, (at) => `"${at}"`)}] }) { totalCount }`)} }`),
  },
  {
    name: 'fragments within fragments, doubled',
    most: 40,
    make: (n) =>
      query(
        `{ ...F0 } ${times(n, (at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)} fragment F${n} on Query { fleet { total } }`,
      ),
  },
  {
    name: 'fragments within fields, doubled',
    most: 40,
    make: (n) =>
      query(
        `{ agents { nodes { ...F0 } } } ${times(n, (at) => `fragment F${at} on Agent { alerts { nodes { agent { ...F${at + 1} } } } alerts { nodes { agent { ...F${at + 1} } } } }`)} fragment F${n} on Agent { id }`,
      ),
  },
  {
    name: 'many fragments in one selection',
    most: 5_000,
    make: (n) =>
      query(`{ ${times(n, (at) => `...F${at}`)} } ${times(n, (at) => `fragment F${at} on Query { ${root(at)} }`)}`),
  },
  {
    name: 'fragments each spread in all after it',
    most: 300,
    make: (n) =>
      query(
        `{ ...F0 } ${times(n, (at) => `fragment F${at} on Query { ${times(Math.min(20, n - at - 1), (next) => `...F${at + next + 1}`)} __typename }`)}`,
      ),
  },
  {
    name: 'fragments in a circle',
    most: 2_000,
    make: (n) => query(`{ ...F0 } ${times(n, (at) => `fragment F${at} on Query { ...F${(at + 1) % n} }`)}`),
  },
  {
    name: 'inline fragments',
    most: 5_000,
    make: (n) =>
      query(`{ node(id: "x") { ${times(n, (at) => `... on ${['Agent', 'Alert', 'AuditEntry'][at % 3]} { id }`)} } }`),
  },
  {
    name: 'inline fragments within each other',
    most: 2_000,
    make: (n) => query(`{ ${'... { '.repeat(n)} fleet { total } ${'} '.repeat(n)} }`),
  },
  {
    name: 'fields within fields',
    most: 40,
    make: (n) => query(`{ ${deep(1, `${'alerts { nodes { agent { '.repeat(n)} id ${'} } }'.repeat(n)}`)} }`),
  },
  {
    name: 'wide and deep',
    most: 2_000,
    make: (n) =>
      query(
        `{ ${times(n, (at) => `a${at % 190}: agents { nodes { id name state alerts { nodes { id severity } } } }`)} }`,
      ),
  },
  {
    name: 'directives',
    most: 5_000,
    make: (n) => query(`{ fleet { ${times(n, () => 'total @include(if: true)')} } }`),
  },
  {
    name: 'conditions by variables',
    most: 60,
    make: (n) => ({
      query: `query (${times(n, (at) => `$v${at}: Boolean!`)}) { ${times(n, (at) => `a${at}: agents @include(if: $v${at}) { totalCount }`)} }`,
      variables: Object.fromEntries(Array.from({ length: n }, (_, at) => [`v${at}`, at % 2 === 0])),
    }),
  },
  {
    name: 'variable definitions',
    most: 10_000,
    make: (n) => query(`query (${times(n, (at) => `$v${at}: Int`)}) { agents(first: $v0) { totalCount } }`),
  },
  { name: 'unknown fields', most: 5_000, make: (n) => query(`{ ${times(n, (at) => `agentsX${at}`)} }`) },
  {
    name: 'unknown arguments',
    most: 2_000,
    make: (n) => query(`{ fleet(${times(n, (at) => `agentX${at}: 1`)}) { total } }`),
  },
  {
    name: 'operations in one document',
    most: 1_000,
    make: (n) => ({
      ...query(`${times(n, (at) => `query Q${at} { ...F }`)} fragment F on Query { fleet { total } }`),
      operationName: 'Q0',
    }),
  },
  {
    name: 'operations and fragments in chains',
    most: 500,
    make: (n) => ({
      ...query(
        `${times(n, (at) => `query Q${at} { ...F0 }`)} ${times(n, (at) => `fragment F${at} on Query { ${at + 1 < n ? `...F${at + 1}` : 'fleet { total }'} }`)}`,
      ),
      operationName: 'Q0',
    }),
  },
  {
    name: 'variables of many operations in one fragment',
    most: 330,
    make: (n) => ({
      ...query(
        `${times(n, (at) => `query Q${at}($a: ID!) { ...F }`)} fragment F on Query { agents(filter: { ids: [${times(5_000 - 15 * n - 30, () => '$a')}] }) { totalCount } }`,
      ),
      operationName: 'Q0',
      variables: { a: 'a' },
    }),
  },
  {
    name: 'variables nobody has declared',
    most: 1_500,
    make: (n) => query(`{ agents(filter: { ids: [${times(n, (at) => `$v${at}`)}] }) { totalCount } }`),
  },
  {
    name: 'variables nobody uses, with large defaults',
    most: 160,
    make: (n) =>
      query(
        `query (${times(n, (at) => `$v${at}: AgentFilter = { ids: [${times(20, () => '"a"')}] }`)}) { fleet { total } }`,
      ),
  },
  {
    name: 'variables of one name',
    most: 1_600,
    make: (n) => query(`query (${times(n, () => '$v: Int')}) { agents(first: $v) { totalCount } }`),
  },
  {
    name: 'variables: a large input each',
    most: 160,
    make: (n) => ({
      query: `query (${times(n, (at) => `$v${at}: AgentFilter`)}) { ${times(n, (at) => `a${at}: agents(filter: $v${at}) { totalCount }`)} }`,
      variables: Object.fromEntries(
        Array.from({ length: n }, (_, at) => [
          `v${at}`,
          { ids: Array(200).fill('a'), names: Array(200).fill('b'), kinds: [] },
        ]),
      ),
    }),
  },
  {
    name: 'unknown fields, deep, near those there are',
    most: 4_000,
    make: (n) => query(`{ fleet { ${times(n, (at) => `totals${at}`)} } }`),
  },
  {
    name: 'unknown types near those there are',
    most: 1_500,
    make: (n) => query(`{ node(id: "a") { ${times(n, (at) => `... on Agents${at} { id }`)} } }`),
  },
  {
    name: 'unknown members of an input literal',
    most: 1_600,
    make: (n) => query(`{ agents(filter: { ${times(n, (at) => `idz${at}: 1`)} }) { totalCount } }`),
  },
  {
    name: 'one member of an input literal again and again',
    most: 1_600,
    make: (n) => query(`{ agents(filter: { ${times(n, () => 'ids: "a"')} }) { totalCount } }`),
  },
  {
    name: 'unknown values of an enum',
    most: 4_900,
    make: (n) => query(`{ agents(filter: { states: [${times(n, (at) => `RUNNING${at}`)}] }) { totalCount } }`),
  },
  {
    name: 'values of the wrong type',
    most: 4_900,
    make: (n) => query(`{ agents(filter: { ids: [${times(n, () => '1.5')}] }) { totalCount } }`),
  },
  {
    name: 'a number of many digits',
    most: 900_000,
    make: (n) => query(`{ agents(first: ${'9'.repeat(n)}) { totalCount } }`),
  },
  {
    name: 'unknown directives everywhere',
    most: 1_000,
    make: (n) =>
      query(
        `query ($v: Int @skips(if: true)) ${'@includes '.repeat(n)} { ...F @includes ... @includes { fleet { total } } } fragment F on Query @includes { fleet { total @includes } }`,
      ),
  },
  {
    name: 'one fragment spread again and again',
    most: 1_600,
    make: (n) => query(`{ ${times(n, () => '...F')} } fragment F on Query { fleet { total } viewer { scopes } }`),
  },
  {
    name: 'unknown fragments',
    most: 1_600,
    make: (n) => query(`{ ${times(n, (at) => `...F${at}`)} }`),
  },
  {
    name: 'fragments nobody spreads',
    most: 800,
    make: (n) => query(`{ fleet { total } } ${times(n, (at) => `fragment F${at} on Query { fleet { total } }`)}`),
  },
  {
    name: 'fragments of one name',
    most: 800,
    make: (n) => query(`{ ...F } ${times(n, () => 'fragment F on Query { fleet { total } }')}`),
  },
  {
    name: 'fields of one name that differ',
    most: 100,
    make: (n) => query(`{ ${times(n, (at) => `a: agent(id: "${at}") { id name: id }`)} }`),
  },
  {
    name: 'fields of one name that differ far below',
    most: 100,
    make: (n) =>
      query(
        `{ ${times(n, (at) => `agents { nodes { alerts { nodes { agent { x: ${['id', 'name', 'kind'][at % 3]} } } } } }`)} }`,
      ),
  },
  {
    name: 'definitions of a schema',
    most: 1_200,
    make: (n) => query(`{ fleet { total } } ${times(n, (at) => `type T${at} { a: Int }`)}`),
  },
  { name: 'a long string', most: 900_000, make: (n) => query(`{ agent(name: "${'x'.repeat(n)}") { id } }`) },
  {
    name: 'a long string of escapes',
    most: 150_000,
    make: (n) => query(`{ agent(name: "${'\\u0041'.repeat(n)}") { id } }`),
  },
  {
    name: 'a block string of lines',
    most: 400_000,
    make: (n) => query(`{ agent(name: """${'\n x'.repeat(n / 3)}""") { id } }`),
  },
  {
    name: 'a literal list',
    most: 10_000,
    make: (n) => query(`{ agents(filter: { ids: [${times(n, () => '"a"')}] }) { totalCount } }`),
  },
  {
    name: 'lists within lists',
    most: 10_000,
    make: (n) => query(`{ agents(filter: { ids: ${'['.repeat(n)}${']'.repeat(n)} }) { totalCount } }`),
  },
  { name: 'a comment', most: 900_000, make: (n) => query(`{ fleet { total } } #${'x'.repeat(n)}`) },
  { name: 'blanks and commas', most: 900_000, make: (n) => query(`{ fleet { total } ${' ,\n'.repeat(n / 3)} }`) },
  { name: 'long names', most: 900_000, make: (n) => query(`{ ${'x'.repeat(n)} }`) },
  {
    name: 'variables: a long list',
    most: 150_000,
    make: (n) => ({
      query: 'query ($ids: [ID!]) { agents(filter: { ids: $ids }) { totalCount } }',
      variables: { ids: Array.from({ length: n }, () => 'abc') },
    }),
  },
  {
    name: 'variables: a list of wrong ones',
    most: 150_000,
    make: (n) => ({
      query: 'query ($ids: [ID!]) { agents(filter: { ids: $ids }) { totalCount } }',
      variables: { ids: Array.from({ length: n }, () => true) },
    }),
  },
  {
    name: 'variables: many members',
    most: 50_000,
    make: (n) => ({
      query: '{ fleet { total } }',
      variables: Object.fromEntries(Array.from({ length: n }, (_, at) => [`member${at}`, at])),
    }),
  },
  {
    name: 'variables: wrong members of an input',
    most: 50_000,
    make: (n) => ({
      query: 'query ($filter: AgentFilter) { agents(filter: $filter) { totalCount } }',
      variables: { filter: Object.fromEntries(Array.from({ length: n }, (_, at) => [`idz${at}`, at])) },
    }),
  },
  {
    name: 'introspection by aliases',
    most: 200,
    make: (n) =>
      query(
        `{ ${times(n, (at) => `a${at}: __schema { types { name fields { name args { name } type { name fields { name } } } } }`)} }`,
      ),
  },
  {
    name: 'introspection of types by their names',
    most: 200,
    make: (n) =>
      query(
        `{ ${times(n, (at) => `a${at}: __type(name: "Query") { fields { name args { name type { name } } type { name fields { name } } } }`)} }`,
      ),
  },
  {
    name: 'introspection into wrapped types',
    most: 30,
    make: (n) =>
      query(`{ __schema { types { fields { type { ${'ofType { '.repeat(n)} name ${'} '.repeat(n)} } } } } }`),
  },
  { name: 'introspection as tools send it', most: 1, make: () => query(getIntrospectionQuery()) },
];
