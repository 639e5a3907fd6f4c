import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { draw, type Level, type Meter } from '../../../router/limits/bucket.ts';
import { InsuredStore } from '../../../router/limits/insured-store.ts';
import { MemoryStore } from '../../../router/limits/memory-store.ts';
import { PostgresStore } from '../../../router/limits/postgres-store.ts';
import { RedisStore } from '../../../router/limits/redis-store.ts';
import type { LimitStore } from '../../../router/limits/store.ts';
import { emptyDatabase } from '../../support/database.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { limitsOf, outcomes, ROBIN, times } from './support.ts';

/** So little comes back that none does while a test runs. */
const SLOW = 1e-9;
const meterOf = (key: string, ...capacities: number[]): Meter => ({
  key,
  buckets: capacities.map((capacity) => ({ capacity, perSecond: SLOW })),
});

let redis: TestRedis | undefined;
const stores: Record<string, () => Promise<LimitStore>> = {
  memory: async () => new MemoryStore(systemClock),
  PostgreSQL: async () => new PostgresStore(await emptyDatabase(), () => undefined),
  ...(hasRedis ? { Redis: async () => new RedisStore((redis as TestRedis).url, () => undefined) } : {}),
};
beforeAll(async () => {
  redis = hasRedis ? await startRedis() : undefined;
});
afterAll(() => redis?.kill());

/** A store that answers. */
async function opened(name: string): Promise<LimitStore> {
  const store = await (stores[name] as () => Promise<LimitStore>)();
  await until(async () => await Promise.resolve(store.draw(meterOf('ready', 1), [0], false)).catch(() => undefined));
  return store;
}

describe.each(Object.keys(stores))('in %s', (name) => {
  let store: LimitStore;
  beforeAll(async () => {
    store = await opened(name);
  });
  afterAll(() => store.close());

  test('a store does what the rule says, draw by draw', async () => {
    const meter = meterOf('rule', 10, 100);
    let level: Level | undefined;
    const draws: [number[], boolean][] = [
      [[1, 30], false],
      [[1, 80], false],
      [[9, 0], false],
      [[1, 0], false],
      [[0, 70], false],
      [[0, 1], false],
      [[0, 25], true],
      [[0, 0], false],
      [[2.5, 0], true],
    ];
    for (const [costs, isForced] of draws) {
      const [next, expected] = draw(meter, level, costs, isForced, 0);
      level = next;
      const drawn = await store.draw(meter, costs, isForced);
      expect(drawn.admitted).toBe(expected.admitted);
      expect(drawn.tokens).toEqual(expected.tokens.map((held) => expect.closeTo(held, 5)));
    }
  });

  test('what was drawn comes back as time passes, up to the brim', async () => {
    const meter: Meter = { key: 'refill', buckets: [{ capacity: 3, perSecond: 1_000 }] };
    expect((await store.draw(meter, [3], false)).admitted).toBe(true);
    await until(async () => (await store.draw(meter, [3], false)).admitted);
    const held = await until(async () => {
      const { tokens } = await store.draw(meter, [0], false);
      return (tokens[0] as number) >= 3 ? tokens[0] : undefined;
    });
    expect(held).toBe(3);
  });

  test('exactly the limit is admitted of many calls at once, whatever each costs', async () => {
    const ask = (meter: Meter, costs: number[]) =>
      outcomes(
        times(200, async () => {
          if (!(await store.draw(meter, costs, false)).admitted) throw new Error('refused');
        }),
      );
    expect((await ask(meterOf('one each', 37), [1])).admitted).toBe(37);
    expect((await ask(meterOf('seven each', 100), [7])).admitted).toBe(14);
    expect((await ask(meterOf('two buckets', 50, 60), [1, 3])).admitted).toBe(20);
  });

  test('a client’s limits hold over it, with their headers’ figures', async () => {
    const rates = { requestsPerSecond: 1_000, costPerRequest: 1e-9, costBurstS: 1e8 };
    const limits = limitsOf({ store, rates });
    const { admitted, codes } = await outcomes(times(150, () => limits.take(ROBIN, 1, 'query')));
    expect([admitted, new Set(codes)]).toEqual([100, new Set(['RATE_LIMITED'])]);
  });
});

test('two stores on one PostgreSQL count together, also when both make the table', async () => {
  const url = await emptyDatabase();
  const both = [new PostgresStore(url, () => undefined), new PostgresStore(url, () => undefined)];
  const meter = meterOf('shared', 25);
  const { admitted, codes } = await outcomes(
    times(80, async (at) => {
      const { admitted } = await (both[at % 2] as LimitStore).draw(meter, [1], false);
      if (!admitted) throw new Error('refused');
    }),
  );
  expect([admitted, new Set(codes)]).toEqual([25, new Set(['Error: refused'])]);
  for (const store of both) store.close();
});

const ITS_DEATH = 'a Redis that dies leaves each router its own count, and is used again when it is back';
test(
  hasRedis ? ITS_DEATH : 'there is no redis-server here (.ci/run installs one): its death is not tested',
  async () => {
    if (!hasRedis) return expect(stores).not.toHaveProperty('Redis');
    const first = await startRedis();
    const store = new InsuredStore(
      new RedisStore(first.url, () => undefined),
      new MemoryStore(systemClock),
      systemClock,
      silentLog,
    );
    const meter = meterOf('dies', 10);
    const admittedOf = async (count: number) =>
      (
        await outcomes(
          times(count, async () => {
            if (!(await store.draw(meter, [1], false)).admitted) throw new Error('refused');
          }),
        )
      ).admitted;
    await until(async () => (await store.draw(meterOf('ready', 1), [0], false)) && !store.isAway);
    expect(await admittedOf(4)).toBe(4);
    await first.kill();
    expect(await admittedOf(30)).toBe(10);
    expect(store.isAway).toBe(true);
    const second = await startRedis(first.port);
    await until(async () => (await store.draw(meterOf('ready', 1), [0], false)) && !store.isAway);
    expect(await admittedOf(30)).toBe(10);
    store.close();
    await second.kill();
  },
);
