import { getIntrospectionQuery, parse } from 'graphql';
import { checkDocument, DOCUMENT_LIMITS, DocumentGate } from '../../../router/guard/document-limits.ts';
import { isShallow } from '../../../router/guard/json-depth.ts';
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
  ['fields of one name', `{ x { ${'a '.repeat(300)} } }`, 'pairs of fields'],
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

test('limits are of one document, also when its operations are many', () => {
  const document = parse(Array.from({ length: 10 }, (_, at) => `query Q${at} { a${at} { b c d } }`).join('\n'));
  checkDocument(document, DOCUMENT_LIMITS);
  expect(() => checkDocument(document, { ...DOCUMENT_LIMITS, selections: 39 })).toThrow('at most 39 selections');
});

test('values of JSON are measured without recursion', () => {
  const deep = JSON.parse(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`);
  expect(isShallow(deep, 64)).toBe(false);
  expect(isShallow({ a: [{ b: null }] }, 4)).toBe(true);
  expect(isShallow(undefined, 0)).toBe(true);
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
