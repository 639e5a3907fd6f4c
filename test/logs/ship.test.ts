import { appendFileSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Terminal } from '../cli/terminal.ts';
import { callOf } from '../support/house.ts';
import { until } from '../support/until.ts';
import { bodies, type LogsHouse, startLogsHouse } from './support.ts';

let house: LogsHouse;
let door: Server;
/** What becomes of an answer, one after the other: it is given, or lost with its connection after the lines were stored. */
let fates: ('lost' | 'busy')[] = [];
let asked = 0;
const terminal = new Terminal();
const before = { ...process.env };

beforeAll(async () => {
  house = await startLogsHouse();
  door = createServer((request, response) => {
    void (async () => {
      asked += 1;
      const fate = fates.shift();
      if (fate === 'busy') return response.writeHead(429, { 'retry-after': '0' }).end('{}');
      const answer = await pass(request);
      if (fate === 'lost') return request.socket.destroy();
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    })();
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  process.env['FLEET_URL'] = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  process.env['FLEET_TOKEN'] = 'token';
});
afterAll(async () => {
  process.env = before;
  terminal.close();
  door.close();
  door.closeAllConnections();
  await house.close();
});

/** As the router does it: a signed call with what the headers ask for. */
async function pass(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const idempotencyKey = request.headers['idempotency-key'] as string;
  const headers = {
    'content-type': request.headers['content-type'] as string,
    'x-fleet-service': String(request.headers['x-fleet-service'] ?? ''),
  };
  return await house.client.send('POST /v1/logs/lines', {
    call: callOf({ idempotencyKey }),
    body: Buffer.concat(chunks),
    headers,
  });
}

const newFile = (text = '') => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'ship-')), 'app.log');
  writeFileSync(file, text);
  return file;
};

describe('fleet logs ship', () => {
  test('an answer that was lost, a kill, new lines meanwhile: every line is stored once', async () => {
    const file = newFile('{"event":"one"}\n{"event":"two"}\n');
    fates = ['lost', ...Array<'busy'>(1_000).fill('busy')];
    asked = 0;
    const first = terminal.run('logs', 'ship', file, '--as', 'killed');
    await until(() => asked >= 2);
    terminal.hangUp();
    await first;
    fates = [];
    appendFileSync(file, '{"event":"three"}\nfour');
    const { out, code } = await terminal.run('logs', 'ship', file, '--as', 'killed', '--no-follow');
    expect([out, code]).toEqual(['4 lines stored, 0 refused\n', 0]);
    expect((await bodies(house, { services: ['killed'] })).sort()).toEqual(['four', 'one', 'three', 'two']);
    const again = await terminal.run('logs', 'ship', file, '--no-follow');
    expect(again.out).toBe('0 lines stored, 0 refused\n');
  });

  test('follows over a rename, and keeps where it stands where it is told', async () => {
    const file = newFile('first\n');
    const offsets = `${file}.place`;
    const running = terminal.run('logs', 'ship', file, '--as', 'turned', '--offset-file', offsets);
    await until(async () => (await bodies(house, { services: ['turned'] })).length === 1);
    appendFileSync(file, 'second\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'third\n');
    await until(async () => (await bodies(house, { services: ['turned'] })).length === 3);
    await until(() => JSON.parse(readFileSync(offsets, 'utf8')).pending === 0);
    terminal.hangUp();
    expect((await running).out).toBe('3 lines stored, 0 refused\n');
  });

  test('what is piped in, line by line; refused lines are told, and what is forbidden ends it', async () => {
    terminal.stdin = '{"event":"piped","service":"pipe"}\n{"cut\n{"event":"last","service":"pipe"}';
    const ran = await terminal.run('logs', 'ship', '-', '--json');
    terminal.stdin = '';
    expect(JSON.parse(ran.out)).toEqual({ lines: 3, rejected: 1 });
    expect(ran.err).toContain('the line is not JSON (record 1)');
    expect((await bodies(house, { services: ['pipe'] })).sort()).toEqual(['last', 'piped']);
    const missing = await terminal.run('logs', 'ship', path.join(tmpdir(), 'no', 'such', 'file'), '--no-follow');
    expect(missing.out).toBe('0 lines stored, 0 refused\n');
    const long = await terminal.run('logs', 'ship', newFile('x\n'), '--as', 'x'.repeat(300));
    expect([long.code !== 0, long.err]).toEqual([true, expect.stringContaining('400')]);
  });
});
