import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { emptyHouseDatabase } from '../support/database.ts';
import { type StoredMessages, startNats } from '../support/nats.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { type StoredEntries, startRedisStandIn } from '../support/redis-stand-in.ts';
import { until } from '../support/until.ts';
import { ingest, type LogsHouse, startLogsHouse } from './support.ts';

interface Message {
  id: string;
  body: string;
}

/** Another system with the bridge's address, and what it was given. */
interface Other {
  address: string;
  messages(): Promise<Message[]>;
  stop(): Promise<void>;
}

const SUBJECT = 'fleet.errors';
const ofNats = async (nats: Promise<StoredMessages>): Promise<Other> => {
  const { url, ...rest } = await nats;
  return { address: url, ...rest };
};
const ofRedis = async (redis: Promise<StoredEntries>): Promise<Other> => {
  const { url, entries, stop } = await redis;
  return { address: `${url}?stream=${SUBJECT}`, messages: () => entries(SUBJECT), stop };
};

/** The server itself where this machine has one, else a stand-in that speaks its protocol. */
async function redisServer(): Promise<StoredEntries> {
  if (!hasRedis) return await startRedisStandIn();
  const server = await startRedis();
  const reader = new Redis(server.url);
  return {
    url: server.url,
    async entries(stream) {
      const rows = await reader.xrange(stream, '-', '+');
      return rows.map(([, [, id = '', , body = '']]) => ({ id, body }));
    },
    async stop() {
      reader.disconnect();
      await server.kill();
    },
  };
}

const OTHERS: [string, () => Promise<Other>][] = [
  ['Redis Streams', () => ofRedis(redisServer())],
  ['NATS', () => ofNats(startNats(SUBJECT))],
];

describe.each(OTHERS)('%s', (_name, start) => {
  let other: Other;
  let house: LogsHouse;
  let databaseUrl: string;
  beforeAll(async () => {
    other = await start();
    databaseUrl = await emptyHouseDatabase('logs');
    house = await startLogsHouse({ databaseUrl, settings: { FLEET_ERROR_BRIDGES: [other.address] } });
  });
  afterAll(async () => {
    await house.close();
    await other.stop();
  });

  const fail = (what: string, count: number) =>
    ingest(
      house,
      Array.from({ length: count }, (_, at) => ({
        severity: 'ERROR',
        service: 'checkout',
        body: `${what} ${at} failed`,
      })),
    );

  /** What each group was last told to count. */
  async function counts(): Promise<Record<string, number>> {
    const read = (await other.messages()).map(({ body }) => JSON.parse(body));
    return Object.fromEntries(read.map(({ node }) => [node.message, node.count]));
  }

  test('is given each change of a group once, in order, with an id of its own', async () => {
    await until(async () => (await house.runtime.database.query('select 1 from error_bridge')).length);
    await fail('alpha', 3);
    await until(async () => (await counts())['alpha <n> failed'] === 3);
    await fail('bravo', 1);
    await fail('alpha', 2);
    await until(async () => (await counts())['alpha <n> failed'] === 5 && (await counts())['bravo <n> failed'] === 1);
    const messages = await other.messages();
    const [first] = messages;
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      kind: 'CREATED',
      previous: null,
      node: { state: 'UNRESOLVED', message: 'alpha <n> failed', services: ['checkout'] },
    });
    expect(first?.id).toMatch(/^[0-9a-f]{12}:[0-9a-f-]{36}:\d+$/);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(messages.length);
    const positions = messages.map(({ id }) => Number(id.split(':')[2]));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  test('is given what was not told yet after a restart, and nothing twice where the place was not stored', async () => {
    await until(async () => (await house.runtime.database.query('select 1 from error_bridge')).length);
    await fail('charlie', 2);
    await until(async () => (await counts())['charlie <n> failed'] === 2);
    const before = await other.messages();
    // As if it had been killed between the answer and the storing of its place.
    await house.runtime.database.query('update error_bridge set position = 0');
    const { folder } = house;
    await house.close();
    house = await startLogsHouse({ databaseUrl, folder, settings: { FLEET_ERROR_BRIDGES: [other.address] } });
    await fail('charlie', 1);
    await until(async () => (await counts())['charlie <n> failed'] === 3);
    const after = await other.messages();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(new Set(after.map(({ id }) => id)).size).toBe(after.length);
  });
});

test('a system that is away is given everything once it is there; no credential is told anywhere', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as { port: number };
  holder.close();
  const lines: string[] = [];
  const { Log } = await import('../../lib/log.ts');
  const log = new Log('logs', [{ write: (line: string) => void lines.push(line) } as never], () => Date.now(), 'debug');
  const address = `redis://user:hidden-word@127.0.0.1:${port}`;
  const house = await startLogsHouse({ log, settings: { FLEET_ERROR_BRIDGES: [address] } });
  try {
    await until(async () => (await house.runtime.database.query('select 1 from error_bridge')).length);
    await ingest(house, [{ severity: 'ERROR', body: 'delta failed' }]);
    const metrics = () => house.runtime.registry.metrics();
    await until(async () =>
      /fleet_error_bridge_failed_total\{bridge="redis:\/\/127[^"]+"\} [1-9]/.test(await metrics()),
    );
    expect(await metrics()).toMatch(/fleet_error_bridge_waiting\{[^}]+\} [1-9]/);
    expect(lines.join('')).toContain('errors.bridge.waits');
    expect(lines.join('') + (await metrics())).not.toContain('hidden-word');
  } finally {
    await house.close();
  }
});
