import fc from 'fast-check';
import { FleetError } from '../../lib/errors.ts';
import { compileSearch, matchesSearch, parseSearch, type SearchFields, wordsOf } from '../../lib/search/index.ts';

interface Record {
  text: string;
  kind?: string;
  size?: number | string;
  at?: Date | string;
  level?: string;
  labels?: { [name: string]: unknown };
}
const FIELDS: SearchFields<Record> = {
  words: ({ text }) => text,
  fields: {
    kind: { type: 'keyword', read: ({ kind }) => kind },
    size: { type: 'number', read: ({ size }) => size },
    at: { type: 'time', read: ({ at }) => at },
    level: { type: 'rank', ranks: ['low', 'high'], read: ({ level }) => level },
    labels: { type: 'any', open: true, read: ({ labels }, path) => labels?.[path] },
  },
};
const found = (query: string, record: Partial<Record>) =>
  matchesSearch(parseSearch(query, FIELDS), { text: '', ...record }, FIELDS);

describe('words', () => {
  test.each([
    ['', 'anything', true],
    ['   ', 'anything', true],
    ['Error', 'an ERROR came', true],
    ['err', 'an error came', false],
    ['err*', 'an error came', true],
    ['rror*', 'an error came', false],
    ['an came', 'an error came', true],
    ['an AND lost', 'an error came', false],
    ['lost OR came', 'an error came', true],
    ['-lost', 'an error came', true],
    ['NOT came', 'an error came', false],
    ['- came', 'an error came', null],
    ['--came', 'an error came', true],
    ['"error came"', 'an error, came', true],
    ['"came error"', 'an error came', false],
    ['"say \\"hi\\""', 'they say: "hi"', true],
    ['10.0.0.1', 'from 10.0.0.1:80', true],
    ['10.0.0.1', 'from 10.0.1.0', false],
    ['rate-lim*', 'the rate limit', true],
    ['(a OR b) (c OR d)', 'b d', true],
    ['(a OR b) (c OR d)', 'a b', false],
    ['-(a OR b)', 'c', true],
    ['a OR b c', 'a', true],
    ['or', 'this or that', true],
    ['ÜBER', 'über', true],
    ['/v1/logs', 'POST /v1/logs', true],
    ['/v1/logs/', 'POST /v1/logs', true],
  ])('%s in “%s”: %s', (query, text, expected) => {
    if (expected === null) expect(() => found(query, { text })).toThrow('letters or digits');
    else expect(found(query, { text })).toBe(expected);
  });
});

describe('fields', () => {
  test.each<[string, Partial<Record>, boolean]>([
    ['kind:tool', { kind: 'tool' }, true],
    ['kind:Tool', { kind: 'tool' }, false],
    ['kind:to*', { kind: 'tool' }, true],
    ['kind:*', {}, false],
    ['kind:"a b"', { kind: 'a b' }, true],
    ['-kind:tool', {}, true],
    ['size>=5', { size: 5 }, true],
    ['size<5', { size: '4' }, true],
    ['size<5', { size: ' ' }, false],
    ['size>5', { size: 5 }, false],
    ['size<=5', { size: 5 }, true],
    ['size:5', { size: 5 }, true],
    ['size:5', {}, false],
    ['at>2026-01-01', { at: new Date('2026-01-02') }, true],
    ['at<2026-01-01T00:00:00.5Z', { at: new Date('2026-01-02') }, false],
    ['level:HIGH', { level: 'high' }, true],
    ['level>=low', { level: 'unheard' }, false],
    ['level>low', { level: 'high' }, true],
    ['labels.a.b:1', { labels: { 'a.b': 1 } }, true],
    ['labels.a.b:1.0', { labels: { 'a.b': 1 } }, true],
    ['labels.x:{"y":1}', { labels: { x: { y: 1 } } }, false],
    ['labels.x:yes', { labels: { x: ['no', 'yes'] } }, true],
    ['labels.x:*', { labels: { x: null } }, false],
    ['labels.x:tr*', { labels: { x: true } }, true],
    ['labels.n>3', { labels: { n: '4' } }, true],
    ['labels.n>3', { labels: { n: true } }, false],
  ])('%s of %j: %s', (query, record, expected) => {
    expect(found(query, record)).toBe(expected);
  });
});

describe('regular expressions', () => {
  test.each([
    ['/time ?out/', 'a timeout', true],
    ['/time ?out/', 'a Timeout', false],
    ['/(?i)TIME/', 'a timeout', true],
    ['/(?i)ÜB[a-e]r/', 'an üBEr', true],
    ['/(?i)[^a]/', 'A', false],
    ['/(?i)[^\\S]/', 'a', false],
    ['/^a.c$/', 'abc', true],
    ['/^a.c$/', 'a\nc', false],
    ['/(?s)^a.c$/', 'a\nc', true],
    ['/^.$/', '😀', true],
    ['/^[^a]{2}$/', '😀é', true],
    ['/^[😀-😂]+$/', '😁', true],
    ['/^[\\x{10000}-\\x{10ffff}]$/', '😁', true],
    ['/a{2,3}b/', '-aab', true],
    ['/^a{2,3}$/', 'aaaa', false],
    ['/^a{2,}$/', 'aaaaaaa', true],
    ['/^a{2}$/', 'aaa', false],
    ['/GET \\/v1\\/logs/', 'GET /v1/logs', true],
    ['/status=(4|5)\\d\\d\\b/', 'status=503 x', true],
    ['/status=(4|5)\\d\\d\\b/', 'status=5031', false],
    ['/a.*?b/', 'a--b', true],
    ['/[\\]\\-x]/', '-', true],
    ['/[a-]/', '-', true],
    ['/\\s/', '\u000b', false],
    ['/\\d/', '٣', false],
    ['/a/ b', 'ab b', true],
    ['-/a/', 'b', true],
    ['(/a/ OR /b/)', 'b', true],
    ['/a b/', 'a b', true],
    ['/(a*)*c/', 'aac', true],
  ])('%s in “%s”: %s', (query, text, expected) => {
    expect(found(query, { text })).toBe(expected);
  });

  test.each<[string, Partial<Record>, boolean]>([
    ['kind:/^to{2}l/', { kind: 'tools' }, true],
    ['kind:/x*/', {}, false],
    ['-kind:/x/', {}, true],
    ['labels.a:/^4\\d$/', { labels: { a: 42 } }, true],
    ['labels.a:/v1/logs', { labels: { a: '/v1/logs' } }, true],
  ])('%s of %j: %s', (query, record, expected) => {
    expect(found(query, record)).toBe(expected);
  });

  test('take time linear in the text, also where backtracking would not end', () => {
    expect(found('/(a|a)*(a*)*$b/', { text: 'a'.repeat(100_000) })).toBe(false);
  });
});

describe('a bad query points at its column', () => {
  test.each([
    ['a AND', 'column 6: expected a word, a "phrase", field:value or "("'],
    ['a OR OR b', 'column 6: expected a word'],
    ['AND a', 'column 1: expected a word'],
    ['NOT', 'column 4: expected a word'],
    ['(a', 'column 3: expected ")" for the "(" at column 1'],
    ['()', 'column 2: expected a word'],
    ['a)', 'column 2: expected a word, or "(" before this ")"'],
    ['say "hi', 'column 5: expected a closing quote'],
    ['a ***', 'column 3: expected letters or digits'],
    ['""', 'column 1: expected letters or digits'],
    ['a /b.*', 'column 3: expected a "/" that ends this expression'],
    ['kind:/[b', 'column 6: expected a "/" that ends this expression'],
    ['/a(b/', 'column 5: expected ")" for the "(" at column 3'],
    ['x /ab)/', 'column 6: expected "(" before this ")"'],
    ['/a||b/', 'column 4: expected a character'],
    ['/()/', 'column 3: expected a character'],
    ['/*a/', 'column 2: expected something to repeat'],
    ['/a**/', 'column 4: expected one repetition'],
    ['/^*/', 'column 3: expected a character before this: ^ is none'],
    ['/a{x/', 'column 3: expected {n}, {n,} or {n,m}'],
    ['/a{3,2}/', 'column 3: expected {n,m} with m at least n'],
    ['/a{501}/', 'column 3: expected at most 500 characters with repetitions counted out'],
    ['/((a{20}){20}){20}/', 'column 15: expected at most 500 characters with'],
    ['/[a/', 'column 4: expected "]" for the "[" at column 2'],
    ['/[]/', 'column 3: expected a character between'],
    ['/[z-a]/', 'column 3: expected a range that rises'],
    ['/[[:alpha:]]/', 'column 3: expected \\[ for itself'],
    ['/a(?=b)/', 'column 3: expected (…), (?:…), or (?i) and (?s)'],
    ['/a\\Bb/', 'column 3: expected one of \\d \\w'],
    ['/(a)\\1/', 'column 5: expected one of \\d \\w'],
    ['/\\p{L}/', 'column 2: expected one of \\d \\w'],
    ['/(?i)[\\x{100}-\\x{ffff}]/', 'column 7: expected a smaller range'],
    [`/${'('.repeat(21)}a${')'.repeat(21)}/`, 'column 22: expected at most 20 groups'],
    [`/${'a'.repeat(501)}/`, 'column 502: expected at most 500 characters'],
    ['labels.x>/b/', 'column 1: an expression has no order'],
    ['size:/b/', 'column 6: expected a number for size, not an expression'],
    ['kind: x', 'column 6: expected a value for kind'],
    ['a kond:x', 'column 3: there is no field kond: expected one of kind, size, at, level, labels.name'],
    ['labels:x', 'column 1: there is no field labels'],
    ['labels.:x', 'column 1: there is no field labels.'],
    ['constructor:x', 'column 1: there is no field constructor'],
    ['kind>x', 'column 1: kind has no order'],
    ['size:big', 'column 6: expected a number for size'],
    ['size:1*', 'column 6: size has no prefixes'],
    ['labels.x>y', 'column 10: expected a number for labels.x'],
    ['at>soon', 'column 4: expected a time such as'],
    ['level:mid', 'column 7: expected one of low, high for level'],
    [`${'('.repeat(40)}a`, 'expected at most 32 brackets'],
    [`${'-('.repeat(40)}a`, 'expected at most 32 brackets'],
    [`${'NOT '.repeat(40)}a`, 'expected at most 32 brackets'],
    ['a '.repeat(201), 'expected at most 200 terms'],
    ['a'.repeat(2_001), 'column 2001: a query has at most 2000 characters'],
  ])('%s', (query, message) => {
    expect(() => parseSearch(query, FIELDS)).toThrow(FleetError);
    expect(() => parseSearch(query, FIELDS)).toThrow(message);
    try {
      parseSearch(query, FIELDS);
    } catch (error) {
      expect((error as FleetError).extensions).toMatchObject({ code: 'BAD_QUERY', column: expect.any(Number) });
    }
  });

  test('any text is parsed or refused as BAD_QUERY, and what is parsed can run', () => {
    const pieces = fc.constantFrom(
      'a',
      'b*',
      '"',
      '(',
      ')',
      '-',
      'OR',
      'AND',
      'NOT',
      ' ',
      'kind:',
      'size>',
      '1',
      '/',
      '/a[^b]*/',
      '[',
      ']',
      '{2}',
      '^',
      '\\',
      'é',
      '*',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 25 }), (parts) => {
        try {
          const node = parseSearch(parts.join(''), FIELDS);
          if (node) compileSearch(node, FIELDS)({ text: 'a b' });
        } catch (error) {
          expect((error as FleetError).code).toBe('BAD_QUERY');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('without fields names are not checked', () => {
    expect(parseSearch('any:thing')).toMatchObject({ kind: 'field', name: 'any', value: 'thing' });
  });
});

test('words are runs of letters and digits, lower case', () => {
  expect(wordsOf('Foo_bar—42 “Ünï” a\u0301!')).toEqual(['foo', 'bar', '42', 'ünï', 'a\u0301']);
});
