import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Log } from '../../lib/log.ts';
import { freePort } from '../../lib/postgres/local.ts';
import { Frames } from '../../subgraphs/logs/service/syslog/framing.ts';
import { readSyslog } from '../../subgraphs/logs/service/syslog/message.ts';
import { until } from '../support/until.ts';
import { bodies, LOGS, type LogsHouse, startLogsHouse } from './support.ts';

const own: string[] = [];
let house: LogsHouse;
let port = 0;
beforeAll(async () => {
  port = await freePort();
  const log = new Log('test', [{ write: (line) => own.push(line) }], Date.now);
  house = await startLogsHouse({ log, settings: { FLEET_SYSLOG_PORT: port } });
});
afterAll(() => house.close());

async function opened(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
const counted = (text: string) => `${Buffer.byteLength(text)} ${text}`;

describe('syslog over TCP', () => {
  test('messages by octet counting and by line feeds, also in pieces, are entries', async () => {
    const socket = await opened();
    const one =
      '<165>1 2026-01-31T10:00:00.123456Z h1 app-1 77 ID47 [ex@32473 a="1" b="q\\"\\]"][two] \ufeffan naïve message\nof two lines';
    const stream = Buffer.from(
      `${counted(one)}<11>1 2026-01-31T10:00:01Z h1 app-1 - - - failed, password=hunter2\n<14>Jan 31 10:00:00 h1 old: kept as it is\n`,
    );
    for (let at = 0; at < stream.length; at += 50) {
      socket.write(stream.subarray(at, at + 50));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end('<15>1 - - app-1 - - - the last one, not ended');
    await until(async () => (await bodies(house, { query: 'last' })).length === 1);
    const { nodes } = (await house.ask(LOGS, { filter: { services: ['app-1'] } })).data.logs;
    expect(nodes).toMatchObject([
      { severity: 'DEBUG', body: 'the last one, not ended' },
      { time: '2026-01-31T10:00:01.000Z', severity: 'ERROR', body: 'failed, password=[redacted:password]' },
      {
        time: '2026-01-31T10:00:00.123456Z',
        severity: 'INFO',
        body: 'an naïve message\nof two lines',
        attributes: {
          'syslog.facility': 20,
          'syslog.procid': '77',
          'syslog.msgid': 'ID47',
          'syslog.structured_data': { 'ex@32473': { a: '1', b: 'q"]' }, two: {} },
        },
        resource: { 'host.name': 'h1', 'service.name': 'app-1' },
      },
    ]);
    expect(await bodies(house, { query: '"kept as it is"' })).toEqual(['Jan 31 10:00:00 h1 old: kept as it is']);
  });

  test('a broken stream ends its connection, after what came before it, and is told', async () => {
    const socket = await opened();
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.write('<14>1 - - cut - - - before\n99999999 x');
    await closed;
    expect(await bodies(house, { services: ['cut'] })).toEqual(['before']);
    expect(own.filter((line) => line.includes('logs.syslog.cut'))).toHaveLength(1);
  });

  test('many senders at once lose nothing', async () => {
    const senders = await Promise.all(Array.from({ length: 20 }, () => opened()));
    for (const [sender, socket] of senders.entries()) {
      const messages = Array.from({ length: 200 }, (_, at) => `<14>1 - - many - - - ${sender}-${at}\n`);
      socket.end(messages.join(''));
    }
    await until(async () => {
      const [row] = await house.telemetry.query<{ n: number }>(
        "select uniqExact(body) as n from log where service = 'many'",
      );
      return row?.n === 4_000;
    });
    const [row] = await house.telemetry.query<{ n: number }>("select count() as n from log where service = 'many'");
    expect(row?.n).toBe(4_000);
  });
});

describe('framing', () => {
  test.each([
    ['00 x', 'a length is none'],
    ['1x x', 'a length is none'],
    ['999999 x', 'a length is none, or too long'],
    ['123456789', 'a length is too long'],
    ['x'.repeat(200), 'a message is too long'],
  ])('%s is broken', (text, reason) => {
    const frames = new Frames(100);
    expect(frames.push(Buffer.from(text))).toEqual([]);
    expect(() => frames.check()).toThrow(reason);
  });

  test('blank lines are no messages, and a length without its message is none at the end', () => {
    const frames = new Frames(100);
    expect(frames.push(Buffer.from('\n\na\n5 he')).map(String)).toEqual(['a']);
    expect(frames.end()).toEqual([]);
  });
});

test.each([
  ['<999>1 - - a - - - x', { body: '<999>1 - - a - - - x' }],
  ['no syslog', { body: 'no syslog' }],
  ['<14>1 yesterday h a - - - x', { timeNs: null, body: 'x', service: 'a' }],
  ['<14>1 - - - - - [broken x', { body: '[broken x' }],
  ['<14>1 - - - - -', { body: '' }],
  ['<14>1 - - - - - - a\u0000b', { body: 'ab' }],
])('%s is read', (text, line) => {
  expect(readSyslog(Buffer.from(text))).toMatchObject(line);
});
