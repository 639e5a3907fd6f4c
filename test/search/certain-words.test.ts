import fc from 'fast-check';
import { parseExpression } from '../../lib/search/expression.ts';

const certain = (source: string) => parseExpression(source, 1).certain;

test.each([
  ['a needle wa', { words: ['needle'], pieces: ['a', 'wa'] }],
  ['^GET /v1/agents$', { words: ['get', 'v1', 'agents'], pieces: [] }],
  ['task [0-9a-f]+ was done in 7 ms after', { words: ['was', 'done', 'in', '7', 'ms'], pieces: ['task', 'after'] }],
  ['(?i)Retry\\s+IN (one|two) s\\b', { words: ['in'], pieces: ['retry', 's'] }],
  ['(ab)+ c{2} d{1,3} e? f* (?:g h) .i.', { words: ['cc', 'g', 'h'], pieces: ['ab', 'd', 'i'] }],
  ['café|tea', { words: [], pieces: [] }],
  ['a_b[ ,]c[xy]d', { words: ['b'], pieces: ['a', 'c', 'd'] }],
])('%s', (source, expected) => {
  expect(certain(source)).toEqual(expected);
});

test('every text that an expression is found in has its words and pieces', () => {
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom('a', 'B', '1', ' ', '_', '\\.', 'é', '\\d', '\\s', '\\w', '[ab]', '[ _]', '^', '$', '\\b', '.'),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}'))
        .map(([a, sign]) => `(?:a|${a})${sign}`),
      fc.tuple(fc.constantFrom('a', ' ', 'b'), fc.constantFrom('+', '{2}', '{2,}')).map(([a, sign]) => `${a}${sign}`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'B', 'A', '1', ' ', '_', '.', 'é'), maxLength: 10 });
  fc.assert(
    fc.property(
      fc.constantFrom('', '(?i)'),
      node,
      fc.array(text, { minLength: 20, maxLength: 20 }),
      (flag, source, texts) => {
        const { test: finds, certain: known } = parseExpression(flag + source, 1);
        for (const each of texts.filter((candidate) => finds(candidate))) {
          const words = each.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
          for (const word of known.words) expect(words).toContain(word);
          for (const piece of known.pieces) expect(words.some((word) => word.includes(piece))).toBe(true);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
