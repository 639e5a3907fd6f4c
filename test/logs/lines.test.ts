import { gzipSync } from 'node:zlib';
import type { Principal } from '../../lib/call/principal.ts';
import { callOf } from '../support/house.ts';
import { bodies, LOGS, type LogsHouse, startLogsHouse } from './support.ts';

const VIEWER: Principal = { id: 'viewer', kind: 'PERSON', name: 'viewer', scopes: ['viewer'] };

let house: LogsHouse;
beforeAll(async () => {
  house = await startLogsHouse();
});
afterAll(() => house.close());

const post = (lines: (string | object)[] | Buffer, headers = {}, call = {}) =>
  house.client.send('POST /v1/logs/lines', {
    call: callOf(call),
    body: Buffer.isBuffer(lines)
      ? lines
      : lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
const stored = async (service: string) =>
  (await house.ask(LOGS, { filter: { services: [service] } })).data.logs.nodes as Record<string, unknown>[];

describe('POST /v1/logs/lines', () => {
  test('our own log lines, and JSON like them', async () => {
    const answer = await post([
      { time: '2026-01-31T10:00:00.123Z', level: 'warn', service: 'own', event: 'house.serving', port: 7, error: 'no' },
      {
        timestamp: '2026-01-31T11:00:00.123456789+01:00',
        severity: 'ERROR',
        service: 'own',
        message: 'it broke',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
        user: { id: 42 },
      },
      '',
      { ts: 1769853600500, level: 30, service: 'own', msg: 'by number' },
      { service: 'own', time: '2026-01-31T09:00:00Z', other: true },
    ]);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    expect(await stored('own')).toMatchObject([
      { time: '2026-01-31T10:00:00.500Z', severity: 'INFO', body: 'by number' },
      {
        time: '2026-01-31T10:00:00.123456789Z',
        severity: 'ERROR',
        body: 'it broke',
        attributes: { user: { id: 42 } },
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        spanId: '00f067aa0ba902b7',
      },
      {
        time: '2026-01-31T10:00:00.123Z',
        severity: 'WARN',
        body: 'house.serving',
        attributes: { port: 7, error: 'no' },
      },
      { body: '{"service":"own","time":"2026-01-31T09:00:00Z","other":true}' },
    ]);
  });

  test('Docker’s lines and Kubernetes’: pieces of a line are put together', async () => {
    const docker = { stream: 'stderr', time: '2026-01-31T10:00:01.000000001Z' };
    const answer = await post(
      [
        { ...docker, log: 'a long line, ' },
        { ...docker, log: 'its end\n', attrs: { tag: 'x' } },
        '2026-01-31T10:00:02.000000002Z stdout P first half, ',
        '2026-01-31T10:00:02.000000001Z stderr F between',
        '2026-01-31T10:00:02.000000003Z stdout F second half',
        '2026-01-31T10:00:03Z stdout P unfinished',
      ],
      { 'x-fleet-service': 'boxes' },
    );
    expect([answer.status, answer.headers['x-fleet-records']]).toEqual([200, '6']);
    expect(await stored('boxes')).toMatchObject([
      { time: '2026-01-31T10:00:03.000Z', body: 'unfinished' },
      {
        time: '2026-01-31T10:00:02.000000002Z',
        body: 'first half, second half',
        attributes: { 'log.iostream': 'stdout' },
      },
      { time: '2026-01-31T10:00:02.000000001Z', body: 'between', attributes: { 'log.iostream': 'stderr' } },
      { time: '2026-01-31T10:00:01.000000001Z', body: 'a long line, its end' },
    ]);
  });

  test('journald’s lines', async () => {
    await post([
      {
        __REALTIME_TIMESTAMP: '1769853600123456',
        __CURSOR: 's=1',
        PRIORITY: '3',
        SYSLOG_IDENTIFIER: 'sshd',
        _HOSTNAME: 'h1',
        _PID: '7',
        MESSAGE: [98, 121, 116, 101, 115],
      },
      { __REALTIME_TIMESTAMP: '1769853600123457', _SYSTEMD_UNIT: 'sshd', PRIORITY: '7', MESSAGE: 'text' },
    ]);
    expect(await stored('sshd')).toMatchObject([
      { time: '2026-01-31T10:00:00.123457Z', severity: 'DEBUG', body: 'text' },
      {
        time: '2026-01-31T10:00:00.123456Z',
        severity: 'ERROR',
        body: 'bytes',
        attributes: { _PID: '7' },
        resource: { 'service.name': 'sshd', 'host.name': 'h1' },
      },
    ]);
  });

  test('each bad line is refused by itself, and told by its number', async () => {
    const nested = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
    const answer = await post(
      Buffer.concat([
        Buffer.from(
          'plain text is what was said\r\n{"cut\n{"time":"soon","event":"x"}\n{"time":"1969-01-01T00:00:00Z","event":"x"}\n',
        ),
        Buffer.from([0xff, 0x0a]),
        Buffer.from(
          `{"event":"a\\u0000b"}\n{"event":"x","deep":${nested}}\n{"event":"${'x'.repeat(1024 * 1024 + 1)}"}\n`,
        ),
      ]),
      { 'x-fleet-service': 'bad' },
    );
    expect(JSON.parse(answer.body.toString())).toEqual({
      partialSuccess: {
        rejectedLogRecords: '7',
        errorMessage: [
          'the line is not JSON (record 1)',
          'the time is not RFC 3339 (record 2)',
          'the time is out of range (record 3)',
          'the line is not valid UTF-8 (record 4)',
          'the event contains U+0000 (record 5)',
          'a value is nested deeper than 32 (record 6)',
          'the body has over 1048576 characters (record 7)',
        ].join('; '),
      },
    });
    expect(await bodies(house, { services: ['bad'] })).toEqual(['plain text is what was said']);
  });

  test('a batch of one name is stored once; without a name the same timed lines are', async () => {
    const line = { time: '2026-01-31T10:00:00Z', service: 'once', event: 'timed' };
    for (let round = 0; round < 2; round += 1) {
      await post([line]);
      await post(['no time'], { 'x-fleet-service': 'once' }, { idempotencyKey: 'lines-1' });
    }
    await post(['no time'], { 'x-fleet-service': 'once' });
    expect((await bodies(house, { services: ['once'] })).sort()).toEqual(['no time', 'no time', 'timed']);
  });

  test('packed bodies are taken; who may only look, a bad service and a bad batch are refused', async () => {
    const packed = gzipSync('{"service":"packed","event":"gz"}');
    expect((await post(packed, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(await bodies(house, { services: ['packed'] })).toEqual(['gz']);
    expect((await post(['x'], {}, { principal: VIEWER })).status).toBe(403);
    expect((await post(['x'], { 'x-fleet-service': 'x'.repeat(257) })).status).toBe(400);
    expect((await post(['x'], {}, { idempotencyKey: 'with space' })).status).toBe(400);
  });
});
