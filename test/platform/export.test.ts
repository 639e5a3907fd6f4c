import type { AnyShape } from '../support/house.ts';
import { startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { until } from '../support/until.ts';

const ROWS = 3_000;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
  const records = Array.from({ length: ROWS }, (_, n) => ({
    severity: 'INFO',
    service: 'exported',
    time: '2026-01-01T00:00:00Z',
    // 12 MB in all: more than any buffer on the way holds.
    body: `entry ${n} ${'x'.repeat(4_000)}`,
  }));
  for (let from = 0; from < ROWS; from += 200) {
    const input = { records: records.slice(from, from + 200) };
    const { data } = await platform.ask(
      'mutation ($input: IngestLogsInput!) { ingestLogs(input: $input) { accepted } }',
      {
        input,
      },
    );
    expect(data.ingestLogs).toEqual({ accepted: 200 });
  }
});
afterAll(() => platform.stop());

test('an export comes through the router whole, in order, as it is made', async () => {
  const response = await platform.fetch('/v1/logs/export?service=exported');
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/x-ndjson',
    'content-disposition': 'attachment; filename="logs.ndjson"',
    'fleet-export-total': String(ROWS),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.any(String),
  });
  expect(response.headers.get('content-length')).toBeNull();
  const numbers = (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => Number(JSON.parse(line).body.split(' ')[1]));
  expect(numbers).toEqual(Array.from({ length: ROWS }, (_, n) => ROWS - 1 - n));
});

test('what is refused is an answer like any other', async () => {
  const bad = await platform.fetch('/v1/logs/export?query=(');
  expect([bad.status, ((await bad.json()) as AnyShape).errors[0]]).toMatchObject([
    400,
    {
      message: expect.stringContaining('column 2'),
      extensions: { code: 'BAD_QUERY', column: 2, requestId: expect.any(String) },
    },
  ]);
  const nobody = await fetch(`${platform.url}/v1/logs/export`);
  expect([nobody.status, ((await nobody.json()) as AnyShape).errors[0].extensions.code]).toEqual([
    401,
    'UNAUTHENTICATED',
  ]);
});

test('whoever leaves half-way ends it for the house too', async () => {
  // Four run at once at most: each waits until one before it has ended.
  for (let turn = 0; turn < 8; turn += 1) {
    const leaving = new AbortController();
    const response = await until(async () => {
      const answer = await platform.fetch('/v1/logs/export?service=exported', { signal: leaving.signal });
      return answer.status === 200 ? answer : undefined;
    });
    expect((await response.body?.getReader().read())?.done).toBe(false);
    leaving.abort();
  }
});
