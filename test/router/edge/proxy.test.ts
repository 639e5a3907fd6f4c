import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HouseClient } from '../../../lib/call/house-client.ts';
import { deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';
import { AuditSpool } from '../../../router/audit/spool.ts';
import { AuditTrail } from '../../../router/audit/trail.ts';
import { AddressPolicy } from '../../../router/proxy/address-policy.ts';
import type { ProxiedEndpoint } from '../../../router/proxy/endpoint-source.ts';
import { ProxyDoor } from '../../../router/proxy/proxy-door.ts';
import { targetIn, urlAt } from '../../../router/proxy/target.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, type Harbour, openHarbour, SECRET } from './support.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A service's own server. */
async function serve(answer: Answer): Promise<{ server: Server; url: string; kill(): void }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kill = () => {
    server.close();
    server.closeAllConnections();
  };
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, kill };
}

const text = async (request: IncomingMessage): Promise<string> => {
  let all = '';
  for await (const chunk of request) all += chunk;
  return all;
};

describe('which addresses are called', () => {
  const policy = new AddressPolicy(
    ['loopback', 'private', '203.0.113.0/24'],
    () => 0,
    async (host) =>
      host === 'trap.example'
        ? [
            { address: '10.0.0.1', family: 4 },
            { address: '169.254.169.254', family: 4 },
          ]
        : [{ address: '10.1.2.3', family: 4 }],
  );

  test.each<[string, boolean]>([
    ['127.0.0.1', true],
    ['::1', true],
    ['10.2.3.4', true],
    ['192.168.1.1', true],
    ['::ffff:10.0.0.1', true],
    ['203.0.113.9', true],
    ['8.8.8.8', false],
    ['169.254.169.254', false],
    ['::ffff:169.254.169.254', false],
    ['::ffff:a9fe:a9fe', false],
    ['fd00:ec2::254', false],
    ['100.100.100.200', false],
    ['0.0.0.0', false],
    ['::', false],
    ['fe80::1', false],
    ['no address', false],
  ])('%s: %s', (address, expected) => {
    expect(policy.allows(address)).toBe(expected);
  });

  test('a name is what it means when it is called, and one bad address among several refuses it', async () => {
    expect(await policy.addressOf('agent.example')).toBe('10.1.2.3');
    await expect(policy.addressOf('trap.example')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(policy.addressOf('[::1]')).toBe('::1');
  });

  test('a path stays behind the address that was registered', () => {
    const at = (url: string) => urlAt('http://127.0.0.1:80/api/', targetIn(url, '/agents/')).href;
    expect(at('/agents/a/v1/x?y=%20')).toBe('http://127.0.0.1/api/v1/x?y=%20');
    expect(at('/agents/a')).toBe('http://127.0.0.1/api/');
    expect(targetIn('/agents/a%2Fb/x', '/agents/').service).toBe('a/b');
    for (const url of [
      '/agents/a/../x',
      '/agents/a/%2e%2E/x',
      '/agents/a/..%2fx',
      '/agents/a/..\\x',
      '/agents/',
      '/agents/%ff/',
    ]) {
      expect(() => at(url)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
    }
  });
});

describe('services behind the port', () => {
  let harbour: Harbour;
  let door: ProxyDoor;
  let trail: Awaited<ReturnType<typeof serve>>;
  let spool: AuditSpool;
  const entries: EntryDraft[] = [];
  const services = new Map<string, ProxiedEndpoint[]>();
  const servers: { kill(): void }[] = [];

  beforeAll(async () => {
    trail = await serve((request, response) => {
      void text(request).then((body) => {
        entries.push(...JSON.parse(body).entries);
        response.end('{}');
      });
    });
    const audit = new HouseClient('audit', trail.url, deriveKey(SECRET, 'call:audit'), () => systemClock.nowMs());
    spool = new AuditSpool(new AuditTrail(audit, systemClock), silentLog);
    spool.start();
    door = new ProxyDoor({
      prefix: '/agents/',
      source: { endpointsOf: (service) => services.get(service) ?? [] },
      policy: new AddressPolicy(['loopback'], () => systemClock.nowMs()),
      scopes: ['operator', 'agent'],
      spool,
      audit: { action: 'agent.proxied', targetType: 'Agent' },
      clock: systemClock,
    });
    harbour = await openHarbour({ proxies: [door] });
    harbour.sea.tokens.set('viewer', { id: 'v', kind: 'PERSON', name: 'v', scopes: ['viewer'] });
  });
  afterAll(async () => {
    await harbour.stop();
    door.close();
    await spool.stop();
    for (const { kill } of [...servers, trail]) kill();
  });

  /** So many servers that answer for a service. */
  async function service(name: string, count: number, answer: Answer) {
    const all = await Promise.all(Array.from({ length: count }, () => serve(answer)));
    servers.push(...all);
    services.set(
      name,
      all.map(({ url }, at) => ({ id: `${name}-${at}`, name: `${name} ${at}`, url: `${url}/base`, weight: 1 })),
    );
    return all;
  }
  const call = (path: string, init: RequestInit = {}, token = ADMIN_TOKEN) =>
    fetch(`${harbour.url}/agents/${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const codeOf = async (response: Response) =>
    ((await response.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code;

  test('half of a kind is killed under load: no request that may be repeated is lost', async () => {
    const all = await service('half', 6, (request, response) => {
      setTimeout(() => response.end(request.method), 5);
    });
    let done = 0;
    const statuses: number[] = [];
    const client = async (method: string) => {
      while (done < 600) {
        done += 1;
        if (done === 200) for (const { kill } of all.slice(0, 3)) kill();
        const response = await call('half/x', { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
        expect(await response.text()).toBe(method);
        statuses.push(response.status);
      }
    };
    await Promise.all([...Array(10).fill('GET'), ...Array(6).fill('PUT')].map(client));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses.length).toBeGreaterThanOrEqual(600);
  });

  test('a request that may not be repeated is sent once; with a key it is done elsewhere', async () => {
    let hits = 0;
    await service('once', 2, (request) => {
      hits += 1;
      request.socket.destroy();
    });
    const lost = await call('once/x', { method: 'POST', body: '{}' });
    expect([lost.status, lost.headers.get('retry-after'), await codeOf(lost), hits]).toEqual([
      502,
      expect.any(String),
      'SUBGRAPH_UNAVAILABLE',
      1,
    ]);
    let first = true;
    await service('keyed', 2, (request, response) => {
      if (first) request.socket.destroy();
      else response.end('done');
      first = false;
    });
    const keyed = await call('keyed/x', { method: 'POST', body: '{}', headers: { 'idempotency-key': 'k1' } });
    expect([keyed.status, await keyed.text()]).toEqual([200, 'done']);
  });

  test('what belongs to the caller and to the connection stays here, and what a service says is no word of ours', async () => {
    let seen: IncomingMessage | undefined;
    await service('headers', 1, (request, response) => {
      seen = request;
      const headers = {
        'set-cookie': 'a=b',
        'x-own': '1',
        connection: 'x-hop',
        'x-hop': '1',
        'access-control-allow-origin': '*',
      };
      response.writeHead(418, headers);
      response.end('<script>');
    });
    const response = await call('headers/a/b?c=d', {
      headers: {
        cookie: 'session=1',
        'x-mine': '2',
        'x-fleet-call': 'forged',
        traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
      },
    });
    expect(seen?.url).toBe('/base/a/b?c=d');
    expect(seen?.headers).toMatchObject({
      'x-mine': '2',
      traceparent: expect.stringContaining('1'.repeat(32)),
      'x-request-id': response.headers.get('x-request-id'),
      'x-forwarded-for': '127.0.0.1',
    });
    for (const name of ['authorization', 'cookie', 'x-fleet-call']) expect(seen?.headers).not.toHaveProperty(name);
    expect(response.status).toBe(418);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-own': '1',
      'content-security-policy': 'sandbox',
      'x-fleet-agent': 'headers%200',
    });
    for (const name of ['set-cookie', 'x-hop', 'access-control-allow-origin'])
      expect(response.headers.get(name)).toBeNull();
  });

  test('what is not GET is written down: who, what, where, and how it ended', async () => {
    await service('audited', 1, (_request, response) => response.writeHead(201).end());
    await call('audited/jobs?token=secret');
    await call('audited/jobs?token=secret', { method: 'POST', body: 'x' });
    const entry = await until(() => entries.find(({ targetId }) => targetId === 'audited-0'));
    expect(entry).toMatchObject({
      action: 'agent.proxied',
      outcome: 'SUCCEEDED',
      targetType: 'Agent',
      after: { service: 'audited', method: 'POST', path: '/jobs', status: 201, attempts: 1 },
    });
    expect(entries.filter(({ targetId }) => targetId === 'audited-0')).toHaveLength(1);
  });

  test('bodies of any size pass, as they come', async () => {
    await service('sizes', 1, (request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => response.end(Buffer.alloc(size, 'x')));
    });
    const response = await call('sizes/', { method: 'PUT', body: Buffer.alloc(3_000_000, 'y') });
    expect((await response.arrayBuffer()).byteLength).toBe(3_000_000);
  });

  test('who may not, what is not there, and what must not be called is refused', async () => {
    expect((await fetch(`${harbour.url}/agents/half/x`)).status).toBe(401);
    expect((await call('half/x', {}, 'viewer')).status).toBe(403);
    const nobody = await call('nobody/x');
    expect([nobody.status, nobody.headers.get('retry-after'), await codeOf(nobody)]).toEqual([
      503,
      '1',
      'SUBGRAPH_UNAVAILABLE',
    ]);
    services.set('metadata', [{ id: 'm', name: 'm', url: 'http://169.254.169.254/latest', weight: 1 }]);
    const metadata = await call('metadata/x');
    expect([metadata.status, await codeOf(metadata)]).toEqual([403, 'FORBIDDEN']);
    const dead = await serve(() => undefined);
    dead.kill();
    services.set('dead', [{ id: 'd', name: 'd', url: dead.url, weight: 1 }]);
    const down = await call('dead/x', { method: 'POST', body: 'x' });
    expect([down.status, await codeOf(down)]).toEqual([503, 'SUBGRAPH_UNAVAILABLE']);
  });
});
