import fc from 'fast-check';
import { parseExpression } from '../../lib/search/expression.ts';

const certain = (source: string) => {
  const { among, beginnings } = parseExpression(source, 1).certain;
  return [among.map((ways) => ways.join('|')), beginnings];
};

test.each([
  ['a needle wa', [['needle'], []]],
  ['a needle was', [['needle'], ['was']]],
  ['^GET /v1/agents$', [['get', 'v1', 'agents'], []]],
  ['task [0-9a-f]+ was done in 7 ms after', [['was', 'done', 'in', '7', 'ms'], ['after']]],
  ['(?i)Retry\\s+IN (one|two) s\\b', [['in'], []]],
  ['(ab)+ c{2} d{1,3} e? f* (?:g h) .i.', [['cc', 'g', 'h'], []]],
  ['café|tea', [[], []]],
  ['a_b[ ,]c[xy]d', [['b'], []]],
  ['a_b[ ,]c[xy]d ', [['b', 'cxd|cyd'], []]],
  [' 0[0-2] s', [['00|01|02'], []]],
  [' x[a-z]\\d y', [[], []]],
  [' timed[a-z]\\d y', [[], ['timed']]],
])('%s', (source, expected) => {
  expect(certain(source)).toEqual(expected);
});

test('every text that an expression is found in has its words', () => {
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom(
        'a',
        'B',
        '1',
        ' ',
        '_',
        '\\.',
        'é',
        '\\d',
        '\\s',
        '\\w',
        '[ab]',
        '[ _]',
        '^',
        '$',
        '\\b',
        '.',
        ' a ',
        '^b_',
        ' B1$',
        '\\s+a\\.',
      ),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}'))
        .map(([a, sign]) => `(?:a|${a})${sign}`),
      fc.tuple(fc.constantFrom('a', ' ', 'b'), fc.constantFrom('+', '{2}', '{2,}')).map(([a, sign]) => `${a}${sign}`),
    ),
  }));
  const text = fc.string({
    unit: fc.constantFrom('a', 'b_', 'B1', 'A', '1', ' ', ' a ', ' a.', '_', 'é'),
    maxLength: 10,
  });
  fc.assert(
    fc.property(
      fc.constantFrom('', '(?i)'),
      node,
      fc.array(text, { minLength: 20, maxLength: 20 }),
      (flag, source, texts) => {
        const { test: finds, certain: known } = parseExpression(flag + source, 1);
        for (const each of texts.filter((candidate) => finds(candidate))) {
          const words = each.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
          for (const ways of known.among) expect(words.filter((word) => ways.includes(word))).not.toEqual([]);
          for (const begin of known.beginnings) expect(words.filter((word) => word.startsWith(begin))).not.toEqual([]);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
