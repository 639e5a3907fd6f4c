import fc from 'fast-check';

const SOURCES = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(
      'a',
      'b',
      'é',
      '😀',
      '.',
      '\\.',
      ' ',
      '\\n',
      '\\x{1F600}',
      '\\d',
      '\\D',
      '\\w',
      '\\W',
      '\\s',
      '\\S',
    ),
    fc.constantFrom('^', '$', '\\b', '[ab]', '[^a]', '[^é😀]', '[a-z\\d]', '[\\s-]', '[^\\w]', '[\\x{20}-\\x{1f600}]'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '+?'))
      .map(([a, sign]) => `(?:a|${a})${sign}`),
  ),
})).node;

/** Any expression of the language, of characters that the texts have. */
export const EXPRESSIONS = fc
  .tuple(fc.constantFrom('', '(?i)', '(?s)', '(?is)'), SOURCES)
  // Where case is not looked at, a wide range is refused.
  .map(([flag, source]) => `${flag}${flag.includes('i') ? source.replaceAll('1f600}]', '17f}]') : source}`);

const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'A', 'é', 'É', '😀', '.', ' ', '\n', '4', '\t', '-', 'k', '\u212a'),
  maxLength: 8,
});

/** Texts to look in. */
export const TEXTS = fc.array(text, { minLength: 20, maxLength: 20 });
