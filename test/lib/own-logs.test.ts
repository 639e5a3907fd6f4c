import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Ajv from 'ajv';
import { HouseClient } from '../../lib/call/house-client.ts';
import { systemClock } from '../../lib/clock.ts';
import { fixedFlags } from '../../lib/flags/index.ts';
import { Log } from '../../lib/log.ts';
import { logFiles, RotatingFile } from '../../lib/log-file.ts';
import { LogShipper } from '../../lib/log-shipper.ts';

const folder = () => mkdtempSync(path.join(tmpdir(), 'own-logs-'));
const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../docs/log-line.schema.json'), 'utf8'));

describe('our own log', () => {
  test('writes lines of the published schema, without secrets and below its level nothing', () => {
    const lines: string[] = [];
    const log = new Log('state', [{ write: (line) => lines.push(line) }], () => 0).child({ house: 'agents' });
    log.debug('quiet');
    log.info('started', { port: 1 });
    log.warn('odd', { adminToken: 'hidden' });
    log.error('broken', { error: 'x' });
    const validate = new Ajv().compile(schema);
    expect(lines.map((line) => validate(JSON.parse(line)))).toEqual([true, true, true]);
    expect(JSON.parse(lines[1] as string)).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'warn',
      service: 'state',
      event: 'odd',
      house: 'agents',
      adminToken: '[redacted]',
    });
  });

  test('keeps ten files and goes on in the last one', () => {
    const place = folder();
    const file = new RotatingFile(place, 'state', 10);
    for (let line = 0; line < 30; line += 1) file.write(`{"line":${line}}`);
    file.close();
    expect(logFiles(place, 'state')).toHaveLength(10);
    const next = new RotatingFile(place, 'state', 1_000);
    next.write('{"line":"next"}');
    next.close();
    expect(readFileSync(logFiles(place, 'state').at(-1) as string, 'utf8')).toContain('"next"');
    expect(readdirSync(place)).toHaveLength(10);
  });
});

describe('the shipper', () => {
  test('sends each line once, also those written while telemetry was away and over files', async () => {
    const place = folder();
    const received: string[] = [];
    let away = true;
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      if (!away) {
        for (const { scopeLogs } of JSON.parse(body).resourceLogs)
          received.push(...scopeLogs[0].logRecords.map((r: { body: { stringValue: string } }) => r.body.stringValue));
      }
      response.statusCode = away ? 503 : 200;
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new HouseClient(
      'logs',
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      Buffer.alloc(32),
      () => 0,
    );
    const shipper = () =>
      new LogShipper(place, 'state', client, systemClock, fixedFlags({ 'platform.own-logs': true }));
    const off = new LogShipper(place, 'state', client, systemClock, fixedFlags({ 'platform.own-logs': false }));
    const drain = async () => {
      const one = shipper();
      while (await one.ship());
    };
    const file = new RotatingFile(place, 'state', 300);
    const log = new Log('state', [file], () => 0);
    for (const event of ['a', 'b', 'c', 'd', 'e']) log.info(event, { filler: 'x'.repeat(80) });
    expect(await off.ship()).toBe(false);
    await expect(drain()).rejects.toThrow('logs answered 503');
    away = false;
    await drain();
    log.info('f');
    file.write('not json');
    await drain();
    await drain();
    expect(received).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'not json']);
    file.close();
    client.close();
    server.close();
  });

  test('after a lost answer, and a kill, it is the same lines by the same key, however the file grew', async () => {
    const place = folder();
    const asked: { key: string | undefined; body: string }[] = [];
    let isLost = true;
    const client = {
      send: async (_route: string, { call, body }: { call: { idempotencyKey?: string }; body: string }) => {
        asked.push({ key: call.idempotencyKey, body });
        if (isLost) throw new Error('the answer was lost');
        return { status: 200 };
      },
    } as unknown as HouseClient;
    const ship = () =>
      new LogShipper(place, 'state', client, systemClock, fixedFlags({ 'platform.own-logs': true })).ship();
    const file = new RotatingFile(place, 'state');
    const log = new Log('state', [file], () => 0);
    log.info('one');
    await expect(ship()).rejects.toThrow('lost');
    log.info('two');
    await expect(ship()).rejects.toThrow('lost');
    isLost = false;
    expect(await ship()).toBe(true);
    expect(await ship()).toBe(true);
    expect(await ship()).toBe(false);
    file.close();
    expect(asked[0]).toEqual({ key: expect.any(String), body: expect.stringContaining('"one"') });
    expect(asked.slice(1, 3)).toEqual([asked[0], asked[0]]);
    expect(asked[3]?.body).toContain('"two"');
    expect(asked[3]?.body).not.toContain('"one"');
    expect(asked[3]?.key).not.toBe(asked[0]?.key);
    expect(asked).toHaveLength(4);
  });
});
