import { randomUUID } from 'node:crypto';
import { nodeId } from '../../lib/node-id.ts';
import { callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { ingest, type LogsHouse, startLogsHouse, type TestRecord } from './support.ts';

const ROWS = 5_000;
const AGENT = nodeId('Agent', '01890000-0000-7000-8000-0000000000aa');
const TIME = '2026-01-01T00:00:00.000Z';

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse({ settings: { FLEET_LOG_EXPORT_ROWS: ROWS + 100 } });
  const many: TestRecord[] = Array.from({ length: ROWS }, (_, n) => ({
    time: TIME,
    service: 'many',
    severity: n % 2 ? 'WARN' : 'INFO',
    body: `entry ${n} of ${'x'.repeat(n % 50)}`,
  }));
  await ingest(house, many);
  await ingest(house, [
    {
      time: TIME,
      service: 'odd',
      body: 'a "quoted", text\nof two lines',
      attributes: { code: 5, text: 'é, "x"' },
      agentId: AGENT,
      traceId: 'ab'.repeat(16),
    },
  ]);
});
afterAll(() => house.close());

const get = (parameters: string, scopes = ['viewer']) => {
  const principal = { id: 'p', kind: 'PERSON' as const, name: 'p', scopes: scopes as never };
  return house.client.send(`GET /v1/logs/export?${parameters}`, {
    call: callOf({ principal, requestId: randomUUID() }),
  });
};

test('all that match are given out once, newest first, over many chunks', async () => {
  const { status, headers, body } = await get('service=many');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'application/x-ndjson',
    'content-disposition': 'attachment; filename="logs.ndjson"',
    'fleet-export-total': String(ROWS),
    'fleet-export-limit': String(ROWS + 100),
  });
  const lines = body.toString().split('\n');
  expect(lines.pop()).toBe('');
  const numbers = lines.map((line) => Number(JSON.parse(line).body.split(' ')[1]));
  expect(numbers).toEqual(Array.from({ length: ROWS }, (_, n) => ROWS - 1 - n));
});

test('an entry is a line of JSON with all that it says', async () => {
  const { body } = await get('service=odd');
  expect(JSON.parse(body.toString())).toEqual({
    id: expect.any(String),
    time: TIME,
    observedAt: expect.any(String),
    severity: 'INFO',
    service: 'odd',
    body: 'a "quoted", text\nof two lines',
    attributes: { code: 5, text: 'é, "x"' },
    resource: expect.any(Object),
    agentId: AGENT,
    traceId: 'ab'.repeat(16),
    spanId: null,
  });
});

test('as a table it is RFC 4180', async () => {
  const { headers, body } = await get('service=odd&format=csv');
  expect(headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
  const text = body.toString();
  expect(text).toMatch(/^time,observedAt,severity,service,agentId,traceId,spanId,body,attributes,resource,id\r\n/);
  expect(text).toContain(`,"a ""quoted"", text\nof two lines","{""code"":5,""text"":""é, \\""x\\""""}",`);
  expect(text.endsWith('\r\n')).toBe(true);
  const none = await get('service=none&format=csv');
  expect(none.body.toString().split('\r\n')).toHaveLength(2);
});

test.each([
  ['query=entry+severity:warn&limit=3', 3],
  ['query=/entry+7\\b/', 1],
  ['minSeverity=warn&service=many&service=odd', ROWS / 2],
  [`agent=${AGENT}`, 1],
  [`traceId=${'ab'.repeat(16)}`, 1],
  ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:01Z&limit=7', 7],
  ['to=2026-01-01', 0],
  ['last=PT1M', 0],
])('%s gives %i entries', async (parameters, count) => {
  const { status, headers, body } = await get(parameters);
  expect(status).toBe(200);
  expect(headers['fleet-export-total']).toBe(String(count));
  expect(body.toString().split('\n').length - 1).toBe(count);
});

test.each([
  ['query=(', 'BAD_QUERY', 'column 2'],
  ['format=xml', 'BAD_INPUT', 'expected the format ndjson, csv or parquet'],
  ['format=csv&format=csv', 'BAD_INPUT', 'format is given twice'],
  ['colour=red', 'BAD_INPUT', 'there is no parameter colour: expected query, savedSearch, format'],
  ['limit=0', 'BAD_INPUT', `limit is 1 to ${ROWS + 100}`],
  ['limit=x', 'BAD_INPUT', 'limit is 1 to'],
  ['limit=1000000', 'BAD_INPUT', 'limit is 1 to'],
  ['minSeverity=loud', 'BAD_INPUT', 'expected one of TRACE'],
  ['from=soon', 'BAD_INPUT', 'expected a time such as'],
  ['last=1h', 'BAD_INPUT', 'expected a duration such as PT15M'],
  ['agent=x', 'BAD_INPUT', 'no id of the type Agent'],
])('%s is refused', async (parameters, code, message) => {
  const { status, body } = await get(parameters);
  const [error] = JSON.parse(body.toString()).errors;
  expect([status, error.extensions.code]).toEqual([400, code]);
  expect(error.message).toContain(message);
});

test('without the scope nothing is given out', async () => {
  const { status, body } = await get('', ['agent']);
  expect([status, JSON.parse(body.toString()).errors[0].extensions.code]).toEqual([403, 'FORBIDDEN']);
});

test('four run at once, whoever leaves makes room', async () => {
  // Long bodies: none of the four is over before it is read.
  await ingest(
    house,
    Array.from({ length: 12 }, () => ({ service: 'long', body: 'y'.repeat(1_000_000) })),
  );
  const open = () =>
    house.client.open('GET /v1/logs/export?service=long', { call: callOf({ requestId: randomUUID() }) });
  const running = await Promise.all([1, 2, 3, 4].map(open));
  expect(running.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
  const refused = await get('service=odd');
  expect([refused.status, JSON.parse(refused.body.toString()).errors[0].extensions]).toMatchObject([
    429,
    { code: 'OVERLOADED', retryAfterMs: 5_000 },
  ]);
  for (const answer of running) answer.destroy();
  await until(async () => (await get('service=odd')).status === 200);
});
