import fc from 'fast-check';
import { patternsOf } from '../../subgraphs/logs/service/patterns.ts';
import type { PatternRow } from '../../subgraphs/logs/store/index.ts';

/** Newest first, a nanosecond apart. */
const rows = (bodies: readonly string[], severity = 9): PatternRow[] =>
  bodies.map((body, at) => ({ time: String(10_000 - at), stamp: 1, seq: bodies.length - at, severity, body }));
const templates = async (...bodies: string[]) => (await patternsOf(rows(bodies))).map(({ template }) => template);

test.each<[string, string[], string[]]>([
  ['numbers', ['took 12 ms', 'took 7.5 ms', 'took -1 ms'], ['took <*> ms']],
  ['numbers with units', ['took 12ms', 'took 7ms'], ['took <*>ms']],
  ['ids', ['task 01890000-0000-7000-8000-000000000001 is done', 'task 4bf92f3577b34da6 is done'], ['task <*> is done']],
  ['times', ['at 2026-01-31T10:00:00.5Z it began', 'at 2026-02-01 it began'], ['at <*> it began']],
  ['names', ['agent planner asked for a tool', 'agent coder asked for a tool'], ['agent <*> asked for a tool']],
  ['addresses', ['from 10.0.0.1:80 to b', 'from 10.1.2.3:443 to c'], ['from <*> to <*>']],
  ['blanks', ['a  b\n c', 'a b c'], ['a b c']],
  ['words with digits stay words', ['loaded model gpt5', 'loaded model gpt5'], ['loaded model gpt5']],
  ['what is structured', ['{"user":"ann","ok":true}', '{"user":"bob","ok":true}'], ['{"user":"<*>","ok":true}']],
  ['what differs', ['disk is full', 'connection refused by peer'], ['connection refused by peer', 'disk is full']],
  ['nothing', [''], ['']],
  ['what is said most comes first', ['b is slow now', 'a 1', 'a 2'], ['a <*>', 'b is slow now']],
])('%s', async (_name, bodies, expected) => {
  expect(await templates(...bodies)).toEqual(expected);
});

test('the newest, the oldest, the gravest and how many are told', async () => {
  const [newest, middle, oldest] = rows(['took 3 ms', 'took 2 ms', 'took 1 ms']) as [
    PatternRow,
    PatternRow,
    PatternRow,
  ];
  const [pattern, ...more] = await patternsOf([newest, { ...middle, severity: 17 }, oldest]);
  expect(more).toEqual([]);
  expect(pattern).toEqual({ template: 'took <*> ms', count: 3, rank: 4, newest, oldest });
});

test('a long text ends in a place', async () => {
  const [template] = await templates('word '.repeat(90));
  expect(template).toBe(`${'word '.repeat(64)}<*>`);
});

test('whatever the texts, every row is in one pattern, and the same rows give the same patterns', async () => {
  const word = fc.constantFrom('a', 'b', 'c1', '12', 'user=', ':', '(', '<*>', 'é', '4bf92f3577b34da6', '\n');
  const body = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
  await fc.assert(
    fc.asyncProperty(fc.array(body, { maxLength: 60 }), async (bodies) => {
      const patterns = await patternsOf(rows(bodies));
      expect(patterns.reduce((sum, { count }) => sum + count, 0)).toBe(bodies.length);
      expect(new Set(patterns.map(({ template }) => template)).size).toBe(patterns.length);
      expect(await patternsOf(rows(bodies))).toEqual(patterns);
    }),
    { numRuns: 200 },
  );
});

test('ten thousand texts with nothing in common stay few patterns', async () => {
  const bodies = Array.from({ length: 10_000 }, (_, at) => {
    const name = [...String(at)].map((digit) => 'abcdefghij'.charAt(Number(digit))).join('');
    return `${name} x${name} y${name} z${name} said`;
  });
  const patterns = await patternsOf(rows(bodies));
  expect(patterns.reduce((sum, { count }) => sum + count, 0)).toBe(10_000);
  expect(patterns.length).toBeLessThan(10_000);
});
