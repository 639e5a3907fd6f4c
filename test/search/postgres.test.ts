import fc from 'fast-check';
import { Client } from 'pg';
import { silentLog } from '../../lib/log.ts';
import { parseExpression } from '../../lib/search/expression.ts';
import { publicError } from '../../lib/serve/errors.ts';
import { emptyDatabase } from '../support/database.ts';
import { EXPRESSIONS, TEXTS } from './expressions.ts';

let client: Client;
beforeAll(async () => {
  client = new Client({ connectionString: await emptyDatabase() });
  await client.connect();
});
afterAll(() => client.end());

/** Which of the texts PostgreSQL finds it in. */
async function found(source: string, texts: readonly string[]): Promise<boolean[]> {
  const { rows } = await client.query<{ found: boolean }>(
    'select text ~ $1 as found from unnest($2::text[]) with ordinality as given (text, place) order by place',
    [parseExpression(source, 1).are, texts],
  );
  return rows.map((row) => row.found);
}

test('a regular expression means the same in this process and in PostgreSQL', async () => {
  await fc.assert(
    fc.asyncProperty(EXPRESSIONS, TEXTS, async (source, texts) => {
      const expression = parseExpression(source, 1);
      expect(await found(source, texts)).toEqual(texts.map((text) => expression.test(text)));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a{300}', 'a'.repeat(300), true],
  ['^a{300}$', 'a'.repeat(299), false],
  ['^a{256,300}$', 'a'.repeat(301), false],
  ['^a{256,300}$', 'a'.repeat(300), true],
  ['^(?:ab){0,}$', 'ab'.repeat(3), true],
  ['^a{2,}$', 'aaaaa', true],
  ['x\\b', 'xé', true],
  ['\\*\\*\\*:a', '***:a', true],
  ['[\\x00-\\x{10ffff}]', '', false],
  ['\\x00', 'a', false],
  ['[\\]\\-^\\\\]', '^', true],
  ['\\x{1F600}{2}', '😀😀', true],
  ['a$', 'a\n', false],
])('%s in “%s”: %s', async (source, text, expected) => {
  expect(await found(source, [text])).toEqual([expected]);
  expect(parseExpression(source, 1).test(text)).toBe(expected);
});

test('where backtracking would not end, PostgreSQL is done within its limit of time', async () => {
  await client.query('set statement_timeout = 10000');
  for (const source of ['(a|a)*(a*)*$b', '(a+)+b', '(?:a?){200}a{200}b', '(.*)(.*)(.*)(.*)(.*)=x', '(a|aa|aaa)+$b']) {
    expect(await found(source, ['a'.repeat(4_000)])).toEqual([false]);
  }
});

test('a search that PostgreSQL gives up is told as one that took too long, not as a fault of ours', async () => {
  await client.query('set statement_timeout = 1');
  const error = await client.query('select pg_sleep(10)').catch((reason: unknown) => reason);
  await client.query('set statement_timeout = 10000');
  expect(publicError(error, { requestId: 'r' }, silentLog)).toEqual({
    message: 'the database did not answer in time: ask for less',
    extensions: expect.objectContaining({ code: 'TIMEOUT', retryable: true, requestId: 'r' }),
  });
});
