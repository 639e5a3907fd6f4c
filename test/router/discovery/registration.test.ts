import { connect } from 'node:net';
import { HouseClient } from '../../../lib/call/house-client.ts';
import { systemPrincipal } from '../../../lib/call/principal.ts';
import { deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Findings } from '../../../router/discovery/discovery.ts';
import { Registrant } from '../../../router/discovery/registrant.ts';
import { Registrations } from '../../../router/discovery/registrations.ts';
import { until } from '../../support/until.ts';
import { type Lighthouse, lightSdl, openLighthouse } from '../schema/support.ts';

const KEY = deriveKey('a secret of tests, thirty-two characters or more', 'call:router');
const replica = (at: number) => ({ subgraph: 'light', url: `http://a:${at}/graphql`, leaseSeconds: 10 });

test('a replica is there until its lease ends, is renewed, or leaves', () => {
  let nowMs = 0;
  const told: Findings[] = [];
  const registrations = new Registrations(() => nowMs);
  const stop = registrations.watch((found) => told.push(found));
  registrations.register(replica(1));
  registrations.register(replica(2));
  nowMs = 6_000;
  registrations.register(replica(1));
  nowMs = 10_000;
  registrations.expire();
  registrations.register({ ...replica(1), leaseSeconds: 0 });
  stop();
  expect(told.map(({ light }) => light?.urls.map((url) => url.slice(9, 10)).join())).toEqual([
    '1',
    '1,2',
    '1',
    undefined,
  ]);
});

test('there is room for so many replicas and no more; those that are there are renewed', () => {
  const registrations = new Registrations(() => 0);
  for (let at = 0; at < 100; at++) registrations.register(replica(at));
  expect(() => registrations.register(replica(100))).toThrow('no room');
  registrations.register(replica(99));
  expect(registrations.size).toBe(100);
});

describe('over HTTP', () => {
  let house: Lighthouse;
  let client: HouseClient;
  beforeEach(async () => {
    house = await openLighthouse({ discovery: { registrationKeys: [KEY] }, schema: { canary: { share: 0 } } });
    client = new HouseClient('router', house.router.url, KEY, () => systemClock.nowMs());
  });
  afterEach(async () => {
    client.close();
    await house.stop();
  });

  const replicas = () => house.router.guard.circuits.get('light')?.replicas.map(({ url }) => url) ?? [];
  const register = (body: object, from = client) =>
    from.send('POST /internal/replicas', {
      call: { principal: systemPrincipal('light'), requestId: 'r' },
      body: JSON.stringify(body),
    });

  test('a replica registers itself, is called, and leaves', async () => {
    const registration = { subgraph: 'light', url: house.subgraphUrl, leaseSeconds: 1 };
    const registrant = new Registrant({ router: client, registration, clock: systemClock, log: silentLog });
    expect((await register({ subgraph: 'light', url: 'http://127.0.0.1:1/graphql', leaseSeconds: 1 })).status).toBe(
      200,
    );
    expect(replicas()).toEqual(['http://127.0.0.1:1/graphql']);
    registrant.start();
    await until(() => replicas().join() === house.subgraphUrl);
    expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
    await registrant.stop();
    expect(replicas()).toEqual([]);
    expect(await house.ask('{ light }')).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
  });

  test('a schema that is registered is composed and served', async () => {
    house.answer = () => ({ data: { lamp: 'registered' } });
    await register({ subgraph: 'light', url: house.subgraphUrl, sdl: lightSdl('lamp: String'), leaseSeconds: 60 });
    await until(async () => (await house.ask('{ lamp }')).status === 200);
    expect(await house.ask('{ lamp }')).toEqual({ status: 200, data: { lamp: 'registered' } });
  });

  test('a part of the fleet that registers does not take the rest away', async () => {
    await register({ subgraph: 'other', url: house.subgraphUrl, sdl: lightSdl(), leaseSeconds: 60 });
    expect(house.router.schema.state).toBeUndefined();
    expect(await house.ask('{ light }')).toEqual({ status: 200, data: { light: 'on' } });
  });

  test('what is unsigned, signed by another, or wrong is refused', async () => {
    const url = `${house.router.url}/internal/replicas`;
    expect((await fetch(url, { method: 'POST', body: JSON.stringify(replica(1)) })).status).toBe(401);
    const stranger = new HouseClient('router', house.router.url, Buffer.alloc(32), () => systemClock.nowMs());
    expect((await register(replica(1), stranger)).status).toBe(401);
    stranger.close();
    for (const wrong of ['file:///etc/passwd', 'http://a b/', 'http://a:99999/graphql', 'http://169.254.169.254/']) {
      expect((await register({ ...replica(1), url: wrong })).status).toBe(400);
    }
    expect((await register({ ...replica(1), leaseSeconds: 100_000 })).status).toBe(400);
    expect(replicas()).toEqual([house.subgraphUrl]);
  });

  test('a stranger’s body is not read: it is refused by its headers', async () => {
    const { hostname, port } = new URL(house.router.url);
    const socket = connect(Number(port), hostname);
    const head = 'POST /internal/replicas HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2000000\r\n\r\n';
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.write(head);
    await until(() => answer !== '');
    expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close/i);
    socket.destroy();
  });

  test('so many may say that they are signed at once, of one address and of all', async () => {
    const { hostname, port } = new URL(house.router.url);
    const sockets = Array.from({ length: 5 }, () => connect(Number(port), hostname));
    let refused = '';
    for (const [at, socket] of sockets.entries()) {
      socket.on('data', (chunk) => {
        refused += String(chunk);
      });
      socket.write(
        `POST /internal/replicas HTTP/1.1\r\nhost: 127.0.0.1\r\nx-fleet-call: e30\r\nx-fleet-proof: ${Date.now()} nonce-of-sixteen-${at} mac\r\ncontent-length: 9\r\n\r\n`,
      );
    }
    await until(() => refused !== '');
    expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1/i);
    for (const socket of sockets) socket.destroy();
  });
});
