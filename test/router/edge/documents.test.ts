import { getIntrospectionQuery, parse } from 'graphql';
import { checkDocument, DOCUMENT_LIMITS, DocumentGate } from '../../../router/guard/document-limits.ts';
import { excessIn } from '../../../router/guard/json-depth.ts';
import { type Harbour, openHarbour } from './support.ts';

const gate = () => new DocumentGate(DOCUMENT_LIMITS);

/** A query of fields within fields. */
const nested = (depth: number) => `${'{ a '.repeat(depth)}${'}'.repeat(depth)}`;

test.each([
  ['tokens', `{ ${'a '.repeat(5_000)}}`, 'at most 5000 tokens'],
  ['fields within fields', nested(21), 'fields within fields'],
  ['aliases', `{ ${Array.from({ length: 201 }, (_, at) => `a${at}: a`).join(' ')} }`, 'aliases'],
  ['directives', `{ ${'a @skip(if: false) '.repeat(201)} }`, 'directives'],
  ['root fields', `{ ${Array.from({ length: 101 }, (_, at) => `a${at}`).join(' ')} }`, 'root fields'],
  ['fields of one name', `{ x { ${'a '.repeat(300)} } }`, 'pairs of fields or fragments'],
  ['brackets', `{ a(b: ${'['.repeat(300)}${']'.repeat(300)}) }`, 'brackets'],
  [
    'fragments laid out',
    `{ x { ...F0 } } ${Array.from({ length: 20 }, (_, at) => `fragment F${at} on T { ...F${at + 1} ...F${at + 1} }`).join(' ')} fragment F20 on T { a }`,
    'selections',
  ],
  ['a fragment nobody uses', `{ a } fragment F on T ${nested(21)}`, 'fields within fields'],
  ['a fragment within itself', '{ ...F } fragment F on T { a { ...F } }', 'fields within fields'],
])('too many %s are refused before anything is validated', (_, text, sentence) => {
  expect(() => gate().check(text)).toThrow(
    expect.objectContaining({ code: 'QUERY_TOO_LARGE', message: expect.stringContaining(sentence) }),
  );
});

test.each([
  ['the introspection that tools send', getIntrospectionQuery()],
  [
    'the most that tools send',
    getIntrospectionQuery({
      inputValueDeprecation: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      oneOf: true,
      typeDepth: 10,
    }),
  ],
  ['an operation at the limits', `query A ${nested(20)}`],
  ['what is no GraphQL', '{ a'],
  ['what has no tokens', '{ a(b: "unterminated) }'],
  ['a long text that is broken at once', `{ "${'x'.repeat(20_000)}`],
  ['an unknown fragment', '{ ...Nowhere ... on T { a } ...G } fragment G on T { ...G }'],
])('%s passes', (_, text) => {
  const each = gate();
  each.check(text);
  each.check(text);
});

/** Exactly at a limit, and one over it: what of the document is counted is written beside it. */
test.each<[keyof typeof DOCUMENT_LIMITS, number, (n: number) => string]>([
  ['characters', DOCUMENT_LIMITS.characters, (n) => `{ a }${' '.repeat(n - 5)}`],
  ['tokens', DOCUMENT_LIMITS.tokens, (n) => `{ a(b: [${'1 '.repeat(n - 9)}]) }`],
  ['depth', DOCUMENT_LIMITS.depth, (n) => nested(n)],
  [
    'aliases',
    DOCUMENT_LIMITS.aliases,
    (n) => `{ x { ${Array.from({ length: n }, (_, at) => `a${at}: a`).join(' ')} } }`,
  ],
  ['directives', DOCUMENT_LIMITS.directives, (n) => `{ x ${'@d '.repeat(n)} }`],
  ['rootFields', DOCUMENT_LIMITS.rootFields, (n) => `{ ${Array.from({ length: n }, (_, at) => `a${at}`).join(' ')} }`],
  ['selections', 1_000, (n) => `{ x { ${Array.from({ length: n - 1 }, (_, at) => `a${at}`).join(' ')} } }`],
  // Two of one name that are compared by the size of their lists: a pair weighs half of both.
  ['overlaps', DOCUMENT_LIMITS.overlaps / 10, (n) => `{ ${`a(b: [${'1 '.repeat(n - 2)}]) `.repeat(2)} }`],
  [
    'introspection',
    1_000,
    (n) => `{ __schema { ${'queryType '.repeat(1)} ${Array.from({ length: n - 2 }, (_, at) => `a${at}`).join(' ')} } }`,
  ],
])('%s: exactly at the limit passes, one over does not', (name, limit, make) => {
  const limits = { ...DOCUMENT_LIMITS, [name]: limit };
  expect(() => new DocumentGate(limits).check(make(limit))).not.toThrow();
  expect(() => new DocumentGate(limits).check(make(limit + 1))).toThrow(
    expect.objectContaining({ code: 'QUERY_TOO_LARGE', message: expect.stringContaining(String(limit)) }),
  );
});

test('fragments are weighed by the pairs that validation compares, introspection by what it would tell', () => {
  const spread = (n: number) =>
    `{ ${Array.from({ length: n }, (_, at) => `...F${at}`).join(' ')} } ${Array.from({ length: n }, (_, at) => `fragment F${at} on Q { a${at % 90} }`).join(' ')}`;
  gate().check(spread(120));
  expect(() => gate().check(spread(160))).toThrow('pairs of fields or fragments');
  // Also those that are not there: validation compares them all the same.
  const missing = (n: number) => `{ ${Array.from({ length: n }, (_, at) => `...F${at}`).join(' ')} }`;
  gate().check(missing(120));
  expect(() => gate().check(missing(160))).toThrow('pairs of fields or fragments');
  const types = (n: number) =>
    `{ ...F } fragment F on Query { ${Array.from({ length: n }, (_, at) => `a${at}: __schema { types { fields { type { fields { name } } } } }`).join(' ')} }`;
  gate().check(types(4));
  expect(() => gate().check(types(8))).toThrow('parts of introspection');
});

test('limits are of one document, also when its operations are many', () => {
  const document = parse(Array.from({ length: 10 }, (_, at) => `query Q${at} { a${at} { b c d } }`).join('\n'));
  checkDocument(document, DOCUMENT_LIMITS);
  expect(() => checkDocument(document, { ...DOCUMENT_LIMITS, selections: 39 })).toThrow('at most 39 selections');
});

test('values of JSON are measured without recursion', () => {
  const deep = JSON.parse(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`);
  const limits = { depth: 64, values: 50_000 };
  expect(excessIn(deep, limits)).toBe('depth');
  expect(excessIn({ a: [{ b: null }] }, { depth: 3, values: 3 })).toBeUndefined();
  expect(excessIn({ a: [{ b: null }] }, { depth: 1, values: 3 })).toBe('depth');
  expect(excessIn({ a: [{ b: null }] }, { depth: 3, values: 2 })).toBe('values');
  expect(excessIn(Array(50_000).fill(1), limits)).toBeUndefined();
  expect(excessIn(Array(50_001).fill(1), limits)).toBe('values');
  expect(excessIn(undefined, { depth: 0, values: 0 })).toBeUndefined();
});

describe('at the public port', () => {
  let harbour: Harbour;
  beforeAll(async () => {
    harbour = await openHarbour();
  });
  afterAll(() => harbour.stop());

  test('ten thousand aliases are refused, and reach no house', async () => {
    const query = `{ ${Array.from({ length: 10_000 }, (_, at) => `a${at}: crews`).join(' ')} }`;
    const answer = await harbour.ask(query);
    expect(answer).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'QUERY_TOO_LARGE', retryable: false } }],
    });
    expect(harbour.sea.calls).toEqual([]);
  });
});
