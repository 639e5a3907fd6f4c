import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { nodeId } from '../../lib/node-id.ts';
import { callOf } from '../support/house.ts';
import { ingest, type LogsHouse, startLogsHouse, type TestRecord } from './support.ts';

const ROWS = 25_000;
const ALL = ROWS + 3;
const AGENT = nodeId('Agent', '01890000-0000-7000-8000-0000000000aa');

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
  const records = Array.from(
    { length: ROWS },
    (_, n): TestRecord => ({
      time: new Date(Date.parse('2026-01-02') + n).toISOString(),
      service: n % 3 ? 'many' : 'é "x"',
      severity: n % 2 ? 'WARN' : 'FATAL',
      body: `entry ${n} ${'é\n,'.repeat(n % 20)}`,
      attributes: n % 4 ? { n, deep: { list: [1, 'two', null] } } : {},
      ...(n % 5 ? {} : { agentId: AGENT, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }),
    }),
  );
  const exact = Array.from({ length: 3 }, (_, n) => ({
    timeUnixNano: `17672256000000000${n}7`,
    body: { stringValue: 'exact' },
  }));
  const otlp = { resourceLogs: [{ scopeLogs: [{ logRecords: exact }] }] };
  expect((await house.client.send('POST /v1/logs', { call: callOf(), body: JSON.stringify(otlp) })).status).toBe(200);
  for (let at = 0; at < ROWS; at += 5_000) await ingest(house, records.slice(at, at + 5_000));
});
afterAll(() => house.close());

const get = (parameters: string) =>
  house.client.send(`GET /v1/logs/export?${parameters}`, { call: callOf(), maxBytes: 1e9 });

/** Nanoseconds of RFC 3339. */
function nanos(time: string): bigint {
  const [, whole, rest = ''] = /^(.*:\d\d)(?:\.(\d+))?Z$/.exec(time) as RegExpExecArray;
  return BigInt(Date.parse(`${whole}Z`)) * 1_000_000n + BigInt(rest.padEnd(9, '0'));
}

test('a Parquet file is the same entries as the lines, read by others: to the nanosecond, with nothing for what is not there', async () => {
  const { status, headers, body } = await get('format=parquet');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': 'application/vnd.apache.parquet',
    'content-disposition': 'attachment; filename="logs.parquet"',
    'fleet-export-total': String(ALL),
  });
  const file = new Uint8Array(body).buffer;
  const { row_groups: groups, num_rows: count } = parquetMetadata(file);
  expect([Number(count), groups.length > 1]).toEqual([ALL, true]);
  const lines = (await get('format=ndjson')).body
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const expected = lines.map((line) => ({ ...line, time: nanos(line.time), observedAt: nanos(line.observedAt) }));
  expect(expected.map(({ time }) => time % 1_000_000n)).toContain(17n);
  const parsers = { timestampFromNanoseconds: (value: bigint) => value } as never;
  expect(await parquetReadObjects({ file, parsers })).toEqual(expected);
  // ClickHouse's reader as a second opinion.
  const stored = path.join(house.folder, '..', 'export.parquet');
  writeFileSync(stored, body);
  const [row] = await house.telemetry.query<Record<string, string>>(
    `select toString(count()) as count, toString(sum(length(body))) as bytes, toString(max(toUnixTimestamp64Nano(time))) as newest,
       toString(countIf(traceId is null)) as bare, uniqExact(id) = count() as distinct from file('${stored}', 'Parquet')`,
  );
  expect(row).toEqual({
    count: String(ALL),
    bytes: String(lines.reduce((sum, line) => sum + Buffer.byteLength(line.body), 0)),
    newest: String(expected[0].time),
    bare: String(lines.filter(({ traceId }) => traceId === null).length),
    distinct: 1,
  });
});

test('a file of nothing is a file', async () => {
  const { body } = await get('format=parquet&service=none');
  const file = new Uint8Array(body).buffer;
  expect(Number(parquetMetadata(file).num_rows)).toBe(0);
  expect(await parquetReadObjects({ file })).toEqual([]);
});
