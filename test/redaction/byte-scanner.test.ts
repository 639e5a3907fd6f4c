import fc from 'fast-check';
import { ByteScanner } from '../../lib/redaction/byte-scanner.ts';
import { ownRule, RULES } from '../../lib/redaction/index.ts';

/** Pieces that secrets begin with, are like, or stand beside. */
const PIECES = [
  ...['@', 'eyJ', 'EYj', '-----BEGIN', '-', 'sk-', 'sk_', 'ghp_', 'github_pat_', 'ASIA', 'SG.', 'SGx', 'ya29.'],
  ...[
    'pass',
    'passWORD',
    'passphrase',
    'token',
    'tokens',
    'tokenS',
    'api-key',
    'apikey',
    'private_key',
    'cookie',
    'BEARER',
  ],
  ...['4', '41 11', '1-1', '999999999999', ' ', 'é', '😀', '\n', 'a', 'EMP12345', '6', 'acme-0f0f-', 'x'],
];

const SOURCES = [
  RULES.map(({ hint }) => hint).join('|'),
  [ownRule('employee', 'EMP\\d{6}|acme-[0-9a-f]{4}-\\w+'), ...RULES].map(({ hint }) => hint).join('|'),
  'a{2,3}b?c|x(?!y)|[0-9.]{3,}',
];

test.each(SOURCES)('finds in bytes what the engine of expressions finds: %.40s', (source) => {
  const scanner = ByteScanner.of(source) as ByteScanner;
  const one = new RegExp(source, 'i');
  const texts = fc
    .array(fc.constantFrom(...PIECES, 'b', 'c', 'y', '.'), { maxLength: 12 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = Buffer.from(text);
      const places = scanner.places(bytes, 1_000) as number[];
      expect(places.length > 0).toBe(one.test(bytes.toString('latin1')));
      // A match ends where its place is: what comes later does not take it back.
      for (const place of places.slice(0, 1)) {
        expect(one.test(bytes.toString('latin1', 0, place + 2))).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
});

test('says when there are too many places, and when an expression would make it too large', () => {
  expect(ByteScanner.of('@')?.places(Buffer.from('@@@'), 3)).toBeUndefined();
  expect(ByteScanner.of('(?:a|b){64}c{64}|[ab]{20}(?:a[abc]{30}|b[abd]{30})')).toBeUndefined();
  expect(() => ByteScanner.of('a(?!b)c')).toThrow('look-ahead in its midst');
  expect(() => ByteScanner.of('a.b')).toThrow('cannot be read');
});
