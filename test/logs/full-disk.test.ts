import { connect } from 'node:net';
import { DiskWatch } from '../../lib/telemetry-store/index.ts';
import { callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { bodies, INGEST, ingest, type LogsHouse, startLogsHouse } from './support.ts';

const SYSLOG_PORT = 20_000 + (process.pid % 20_000);
const SPACE = { freeBytes: 1_000, totalBytes: 1_000 };
let house: LogsHouse;
let watch: DiskWatch;
beforeAll(async () => {
  house = await startLogsHouse({ settings: { FLEET_SYSLOG_PORT: SYSLOG_PORT } });
  watch = new DiskWatch({ measure: () => Promise.resolve(SPACE) });
  house.telemetry.watchedBy(watch);
});
afterAll(() => house.close());

async function room(freeBytes: number): Promise<void> {
  SPACE.freeBytes = freeBytes;
  await watch.look();
}

const otlp = (body: string) =>
  JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: body } }] }] }] });
const INTAKE = '{ logIntake { isAccepting isDiskFull diskFreeBytes diskSizeBytes maxPendingBytes } }';

test('a disk that is nearly full refuses logs on every road, with a time to come back, and takes them again by itself', async () => {
  await ingest(house, [{ body: 'before' }]);
  await room(10);
  for (const [route, body] of [
    ['POST /v1/logs', otlp('otlp')],
    ['POST /v1/logs/lines', 'line'],
  ] as const) {
    const answer = await house.client.send(route, { call: callOf(), body });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(JSON.parse(answer.body.toString()).message).toMatch(/disk .* nearly full/);
  }
  const input = { records: [{ severity: 'INFO', service: 'tests', body: 'mutation' }] };
  expect((await house.ask(INGEST, { input })).errors?.[0]?.extensions.code).toBe('OVERLOADED');
  const socket = connect(SYSLOG_PORT, '127.0.0.1');
  socket.write('<13>1 2026-01-31T10:00:00Z h app - - - syslog\n');
  expect((await house.ask(INTAKE)).data.logIntake).toMatchObject({
    isAccepting: false,
    isDiskFull: true,
    diskFreeBytes: 10,
    diskSizeBytes: 1_000,
  });
  // What is there can be read, and policies are audited.
  expect(await bodies(house, {})).toEqual(['before']);

  await room(60);
  expect(watch.isFull).toBe(true);
  await room(63);
  expect((await house.ask(INTAKE)).data.logIntake).toMatchObject({ isAccepting: true, isDiskFull: false });
  expect((await house.client.send('POST /v1/logs', { call: callOf(), body: otlp('otlp') })).status).toBe(200);
  // Nobody would send that again: it waited.
  await until(async () => (await bodies(house, {})).includes('syslog'));
  socket.destroy();
  expect((await bodies(house, {})).sort()).toEqual(['before', 'otlp', 'syslog']);
});
