import fc from 'fast-check';
import { readGraphAnswer } from '../../../router/guard/answer.ts';
import { nestsDeeper } from '../../../router/guard/nesting.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('how deep JSON nests is told from its bytes as from its value, whatever its texts hold', () => {
  const texts = fc.stringMatching(/^[[\]{}"\\a]*$/);
  const values = fc
    .jsonValue({ depthSize: 'large' })
    .chain((value) => texts.map((text) => ({ [text]: [value, text] })));
  fc.assert(
    fc.property(values, (value) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const depth = depthOf(value);
      return !nestsDeeper(bytes, depth) && nestsDeeper(bytes, depth - 1);
    }),
  );
});

test('a large answer that nests without end is refused before it is parsed; one that is only large is not', () => {
  const answer = (text: string) =>
    readGraphAnswer({ status: 200, contentType: 'application/json', body: Buffer.from(`{"data":{"a":${text}}}`) });
  const depth = 200_000;
  expect(() => answer('['.repeat(depth) + ']'.repeat(depth))).toThrow('nests more than 1000 deep');
  const flat = `[${'{"b":"[[[["},'.repeat(50_000)}{}]`;
  expect(answer(flat).data).toMatchObject({ a: { length: 50_001 } });
});
