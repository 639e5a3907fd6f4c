import fc from 'fast-check';
import { jsonOf } from '../../../router/execute/written.ts';

test('every value is written as JSON writes it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.jsonValue()), (value) => {
      expect(JSON.parse(jsonOf(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('what needs a backslash gets one, and lone surrogates are escaped', () => {
  for (const text of [
    '"',
    '\\',
    '\n',
    '\u0000',
    '\u001f',
    '\u007f',
    '\ud800',
    'a\udfffb',
    '😀',
    ']',
    '[',
    ' ',
    '!',
    '#',
  ]) {
    expect(jsonOf(text)).toBe(JSON.stringify(text));
  }
});
