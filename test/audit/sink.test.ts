import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { ExportVerifier, headerLine } from '../../lib/audit-export/index.ts';
import { webhookHeaders } from '../../lib/webhook/index.ts';
import { emptyHouseDatabase } from '../support/database.ts';
import type { TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { SinkTarget } from './sink-target.ts';
import { allPlaced, DATA, deliver, draft, startAudit } from './support.ts';

const SECRET = 'a-secret-of-the-sink';
const houses: TestHouse[] = [];
afterEach(async () => {
  for (const house of houses.splice(0)) await house.stop();
});

/** A house that gives its trail to a target; on a database that is there already when it is given. */
async function houseWith(target: string, more: object = {}, databaseUrl?: string): Promise<TestHouse> {
  const settings = {
    FLEET_DATA: DATA,
    FLEET_AUDIT_SINKS: [target],
    FLEET_AUDIT_SINK_SECRET: SECRET,
    FLEET_WEBHOOK_PRIVATE: true,
    ...more,
  };
  const house = await startAudit({ settings, ...(databaseUrl ? { databaseUrl } : {}) });
  houses.push(house);
  return house;
}

const drafts = (count: number) => Array.from({ length: count }, (_, at) => draft({ after: { at } }));

describe('a web sink', () => {
  let target: SinkTarget;
  beforeEach(async () => {
    target = new SinkTarget();
    await target.start();
  });
  afterEach(() => target.stop());

  test('is given every entry in order, signed, as lines that can be verified', async () => {
    const house = await houseWith(target.url);
    await deliver(house, drafts(60));
    await until(() => target.lines.length === 60);
    const { headers, body } = target.received[0] as SinkTarget['received'][number];
    expect(headers).toMatchObject({ 'content-type': 'application/x-ndjson' });
    const id = String(headers['webhook-id']);
    expect(id).toMatch(/^fleetgraph\.local\/audit\/[\w-]+\/0-\d+$/);
    const sentMs = Number(headers['webhook-timestamp']) * 1_000;
    expect(headers['webhook-signature']).toBe(webhookHeaders(id, SECRET, body, sentMs)['webhook-signature']);
    expect(target.lines.map((line) => JSON.parse(line).index)).toEqual(Array.from({ length: 60 }, (_, at) => at));
    // With the header before them and the checkpoint behind they are an export.
    await allPlaced(house);
    const whole = await house.client.send('GET /v1/audit/export', {
      call: { principal: { id: 'a', kind: 'PERSON', name: 'a', scopes: ['auditor'] }, requestId: 'x' },
    });
    const [first = '', ...rest] = whole.body.toString().trimEnd().split('\n');
    const verifier = new ExportVerifier();
    verifier.push(Buffer.from(headerLine(JSON.parse(first).key)));
    verifier.push(Buffer.from(`${[...target.lines, rest.at(-1)].join('\n')}\n`));
    expect(verifier.end().size).toBe(60);
  });

  test('that is away is given all of it later; what may have been taken comes again under the same id', async () => {
    target.status = 503;
    const databaseUrl = await emptyHouseDatabase('audit');
    const house = await houseWith(target.url, {}, databaseUrl);
    await deliver(house, drafts(3));
    await until(() => target.received.length > 0);
    // It took the batch and was not heard: the process ends, more entries come, and the batch is the same.
    await house.stop();
    houses.length = 0;
    const [first] = target.received;
    const restarted = await houseWith(target.url, {}, databaseUrl);
    await deliver(restarted, drafts(4));
    await allPlaced(restarted);
    target.status = 200;
    await until(() => target.taken.size === 7);
    const [again] = target.received.filter(({ status }) => status === 200);
    expect([again?.headers['webhook-id'], again?.body]).toEqual([first?.headers['webhook-id'], first?.body]);
    expect(target.lines.map((line) => JSON.parse(line).index)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('is given events of OCSF when they are asked for', async () => {
    const house = await houseWith(target.url, { FLEET_AUDIT_SINK_FORMAT: 'ocsf' });
    await deliver(house, [draft({ outcome: 'DENIED' })]);
    await until(() => target.lines.length === 1);
    expect(JSON.parse(target.lines[0] ?? '')).toMatchObject({
      class_uid: 6_003,
      metadata: { sequence: 0 },
      status_id: 2,
    });
  });

  test('that is not public, or is not encrypted, is not spoken to unless that is allowed', async () => {
    await expect(houseWith(target.url, { FLEET_WEBHOOK_PRIVATE: false })).rejects.toThrow('is not encrypted');
    const secure = target.url.replace('http:', 'https:');
    const house = await houseWith(secure, { FLEET_WEBHOOK_PRIVATE: false });
    await deliver(house, drafts(1));
    await until(async () =>
      /fleet_audit_sink_failed_total\{sink="[^"]+"\} [1-9]/.test(await house.runtime.registry.metrics()),
    );
    expect(target.connections).toBe(0);
  });
});

describe('a syslog sink', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  const collect = (into: string[]) => (socket: Socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('end', () => {
      into.push(...messagesIn(text));
      socket.end();
    });
  };

  /** By octet counting. */
  function messagesIn(text: string): string[] {
    const bytes = Buffer.from(text);
    const found: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(' ', at);
      const length = Number(bytes.toString('latin1', at, space));
      found.push(bytes.toString('utf8', space + 1, space + 1 + length));
      at = space + 1 + length;
    }
    return found;
  }

  test('is given each entry as a message', async () => {
    const messages: string[] = [];
    const house = await houseWith(
      `syslog://127.0.0.1:${await listen(createServer({ allowHalfOpen: true }, collect(messages)))}`,
    );
    await deliver(house, [draft({ after: { word: 'ä“' } }), draft({ outcome: 'DENIED' })]);
    await until(() => messages.length === 2);
    const [, meta, json] =
      /^(<110>1 \S+Z - fleetgraph - audit \[meta sequenceId="1"\]) \ufeff(.*)$/.exec(messages[0] ?? '') ?? [];
    expect(meta).toBeDefined();
    expect(JSON.parse(json ?? '')).toMatchObject({ index: 0, leaf: { after: { word: 'ä“' } } });
    expect(messages[1]).toMatch(/^<108>1 /);
  });

  test('is spoken to by TLS, and not at all when nobody vouches for it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-sink-'));
    const [keyFile, certFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=127.0.0.1',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        keyFile,
        '-out',
        certFile,
      ],
      { stdio: 'ignore' },
    );
    const messages: string[] = [];
    const identity = { key: readFileSync(keyFile), cert: readFileSync(certFile), allowHalfOpen: true };
    const target = `syslog+tls://127.0.0.1:${await listen(createTlsServer(identity, collect(messages)))}`;
    const stranger = await houseWith(target);
    await deliver(stranger, drafts(1));
    await until(async () => /failed_total\{sink="[^"]+"\} [1-9]/.test(await stranger.runtime.registry.metrics()));
    expect(messages).toEqual([]);
    const house = await houseWith(target, { FLEET_AUDIT_SINK_CA: certFile });
    await deliver(house, drafts(2));
    await until(() => messages.length === 2);
    rmSync(folder, { recursive: true });
  });

  test('that hangs up before it has read everything is given it again', async () => {
    const messages: string[] = [];
    let hangsUp = true;
    const port = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        if (hangsUp) socket.once('data', () => socket.resetAndDestroy());
        else collect(messages)(socket);
        hangsUp = false;
        socket.on('error', () => undefined);
      }),
    );
    const house = await houseWith(`syslog://127.0.0.1:${port}`);
    await deliver(house, drafts(5));
    await until(() => messages.length === 5);
    expect(hangsUp).toBe(false);
  });
});
