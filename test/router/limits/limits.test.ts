import { silentLog } from '../../../lib/log.ts';
import { UsageBook } from '../../../router/callers/usage.ts';
import { draw, type Meter, waitMs } from '../../../router/limits/bucket.ts';
import { InsuredStore } from '../../../router/limits/insured-store.ts';
import { MemoryStore } from '../../../router/limits/memory-store.ts';
import { bucketStanding, costExtension, limitHeaders, type Standing } from '../../../router/limits/standing.ts';
import type { LimitStore } from '../../../router/limits/store.ts';
import { clockAt, limitsOf, outcomes, ROBIN, times } from './support.ts';

const METER: Meter = {
  key: 'robin query',
  buckets: [
    { capacity: 5, perSecond: 1 },
    { capacity: 10, perSecond: 2 },
  ],
};

test('a draw takes from all buckets or from none, and they fill as time passes', () => {
  const [first, one] = draw(METER, undefined, [1, 9], false, 0);
  expect(one).toEqual({ admitted: true, tokens: [4, 1] });
  const [second, two] = draw(METER, first, [1, 2], false, 0);
  expect(two).toEqual({ admitted: false, tokens: [4, 1] });
  expect(waitMs(METER, two.tokens, [1, 2])).toBe(500);
  const [third, three] = draw(METER, second, [1, 2], false, 500);
  expect(three).toEqual({ admitted: true, tokens: [3.5, 0] });
  // A clock that goes back gives nothing, and takes nothing.
  expect(draw(METER, third, [0, 0], false, 100)[1]).toEqual({ admitted: true, tokens: [3.5, 0] });
  expect(draw(METER, third, [0, 0], false, 1e9)[1]).toEqual({ admitted: true, tokens: [5, 10] });
});

test('what is known in hindsight may leave a debt, and a debt refuses until it is paid', () => {
  const [level, forced] = draw(METER, undefined, [0, 14], true, 0);
  expect(forced).toEqual({ admitted: true, tokens: [5, -4] });
  expect(draw(METER, level, [1, 0], false, 1_900)[1].admitted).toBe(false);
  expect(draw(METER, level, [1, 0], false, 2_000)[1].admitted).toBe(true);
});

test('of many concurrent calls over a limit exactly the limit comes through', async () => {
  const limits = limitsOf({ rates: { requestsPerSecond: 50 } });
  const { admitted, codes } = await outcomes(times(400, () => limits.take(ROBIN, 1, 'query')));
  expect(admitted).toBe(50);
  expect(new Set(codes)).toEqual(new Set(['RATE_LIMITED']));
  expect(limits.decisions.of('query')).toEqual({ admitted: 50, refused: 350, wouldRefuse: 0 });
});

test('dear calls use up points, cheap ones after them what is left', async () => {
  const limits = limitsOf({ rates: { requestsPerSecond: 100, costPerRequest: 1, costBurstS: 1 } });
  const dear = await outcomes(times(20, () => limits.take(ROBIN, 30, 'query')));
  expect(dear.admitted).toBe(3);
  expect((await outcomes(times(20, () => limits.take(ROBIN, 1, 'query')))).admitted).toBe(10);
  expect(() => limits.take(ROBIN, 101, 'query')).toThrow('costs 101 points, and you may use at most 100 at once');
});

test('clients and classes of operations have buckets of their own', async () => {
  const limits = limitsOf({ rates: { requestsPerSecond: 2 } });
  for (const operations of ['query', 'mutation', 'subscription'] as const) {
    for (const principal of [ROBIN, { ...ROBIN, id: 'key:other' }]) {
      expect((await outcomes(times(5, () => limits.take(principal, 1, operations)))).admitted).toBe(2);
    }
  }
  const granted = { ...ROBIN, id: 'granted', requestsPerSecond: 7 };
  expect((await outcomes(times(9, () => limits.take(granted, 1, 'query')))).admitted).toBe(7);
  const free = { ...ROBIN, id: 'free', requestsPerSecond: Number.POSITIVE_INFINITY };
  expect((await outcomes(times(9, () => limits.take(free, 1e9, 'query')))).admitted).toBe(9);
});

test('calls to a subgraph are counted over all clients, one for entities once for each', async () => {
  const clock = clockAt();
  const limits = limitsOf({ clock });
  const calls = (count: number, weight: number) => outcomes(times(count, () => limits.takeCall('sea', 20, weight)));
  expect(await calls(60, 1)).toMatchObject({ admitted: 20, codes: Array(40).fill('RATE_LIMITED') });
  clock.ms += 1_000;
  expect((await calls(60, 3)).admitted).toBe(6);
  clock.ms += 1_000;
  // What weighs more than is ever there takes all of it.
  expect((await calls(2, 500)).admitted).toBe(1);
  expect(() => limits.takeCall('sea', 20, 1)).toThrow(
    expect.objectContaining({ extensions: expect.objectContaining({ subgraph: 'sea', retryAfterMs: 50, limit: 20 }) }),
  );
  expect((await limits.takeCall('land', 20, 1)).tokens).toEqual([19]);
  expect(limits.decisions.of('subgraph:sea')).toMatchObject({ admitted: 27 });
});

test('an operation may be limited by its name', async () => {
  const limits = limitsOf({ rates: { operations: { Dashboard: 3 } } });
  const named = (name?: string) => outcomes(times(10, () => limits.take(ROBIN, 1, 'query', name)));
  expect([(await named('Dashboard')).admitted, (await named('Other')).admitted, (await named()).admitted]).toEqual([
    3, 10, 10,
  ]);
});

test.each([
  ['at once', false],
  ['later', true],
])(
  'what its class refuses is not drawn on an operation’s own limit, where the store answers %s',
  async (_, isLater) => {
    const memory = new MemoryStore(clockAt());
    const later: LimitStore = { draw: async (...asked) => memory.draw(...asked), close: () => undefined };
    const rates = { requestsPerSecond: 2, operations: { Rare: 3 } };
    const limits = limitsOf({ store: isLater ? later : memory, rates });
    const rare = (operations: 'query' | 'mutation') =>
      outcomes(times(9, () => limits.take(ROBIN, 1, operations, 'Rare')));
    expect((await rare('query')).admitted).toBe(2);
    expect((await rare('mutation')).admitted).toBe(1);
  },
);

test('a dry run counts and tells what it would have refused, and refuses nothing', async () => {
  const told: object[] = [];
  const log = Object.assign(Object.create(silentLog), { info: (_: string, detail: object) => told.push(detail) });
  const limits = limitsOf({
    rates: { requestsPerSecond: 2, costPerRequest: 1, costBurstS: 10 },
    dryRun: ['query'],
    log,
  });
  expect((await outcomes(times(5, () => limits.take(ROBIN, 1, 'query')))).admitted).toBe(5);
  expect((await outcomes(times(5, () => limits.take(ROBIN, 1, 'mutation')))).admitted).toBe(2);
  expect(await limits.take(ROBIN, 1_000, 'query')).toMatchObject({ cost: 1_000 });
  expect(limits.decisions.of('query')).toEqual({ admitted: 2, refused: 0, wouldRefuse: 4 });
  // Told once a second, however many they are.
  expect(told).toEqual([
    { client: 'key:robin', class: 'query', reason: 'you have made your 2 requests of this second', retryAfterMs: 500 },
  ]);
});

test('who is refused again and again is turned away before a document is read, until the second is over', () => {
  const clock = clockAt();
  const limits = limitsOf({ clock, rates: { requestsPerSecond: 3 } });
  for (let at = 0; at < 4; at++) {
    limits.guard(ROBIN);
    limits.refused(ROBIN);
  }
  expect(() => limits.guard(ROBIN)).toThrow('you have made your 3 requests');
  expect(limits.decisions.of('document')).toMatchObject({ refused: 1 });
  limits.guard({ ...ROBIN, id: 'key:other' });
  clock.ms += 1_000;
  limits.guard(ROBIN);
});

test('telemetry is counted in requests, bytes and records; records in hindsight', async () => {
  const clock = clockAt();
  const rates = { requestsPerSecond: 10, ingestBytesPerSecond: 8_000_000, ingestRecordsPerSecond: 100 };
  const limits = limitsOf({ clock, rates });
  const enter = (bytes: number) => outcomes([() => limits.enter(ROBIN, '/v1/logs', bytes)]);
  expect(await enter(10_000_000)).toMatchObject({ admitted: 1 });
  expect(await enter(10_000_000)).toMatchObject({ codes: ['RATE_LIMITED'] });
  expect(await enter(6_000_000)).toMatchObject({ admitted: 1 });
  limits.settle(ROBIN, '/v1/logs', 0, 350);
  clock.ms += 1_000;
  expect(await enter(1)).toMatchObject({ codes: ['RATE_LIMITED'] });
  expect(() => limits.enter(ROBIN, '/v1/logs', 1)).toThrow('bytes, records');
  clock.ms += 500;
  expect(await enter(1)).toMatchObject({ admitted: 1 });
  expect((await limits.enter(ROBIN, '/v1/traces', 1)).tokens).toEqual([9, 15_999_999, 200]);
});

test('headers and extensions tell one standing', async () => {
  const limits = limitsOf({ rates: { requestsPerSecond: 10 } });
  const standing = await limits.take(ROBIN, 250, 'query');
  expect(limitHeaders(standing)).toEqual({
    ratelimit: '"requests";r=9;t=1, "cost";r=9750;t=1',
    'ratelimit-policy': '"requests";q=10;w=1, "cost";q=10000;qu="points";w=10',
  });
  expect(costExtension(standing)).toEqual({
    requestedQueryCost: 250,
    actualQueryCost: 250,
    throttleStatus: { maximumAvailable: 10_000, currentlyAvailable: 9_750, restoreRate: 1_000 },
  });
  const free: Standing = { meter: undefined, tokens: [], cost: 3 };
  expect(limitHeaders(free)).toEqual({});
  expect(bucketStanding(free, 1)).toMatchObject({ limit: 2 ** 31 - 1, used: 0 });
});

/** A list of strings with parameters, each a string or a whole number (RFC 9651), as `name → parameters`. */
function fieldOf(text: string): Record<string, Record<string, string>> {
  const items = text.split(', ').map((item) => {
    expect(item).toMatch(/^"[a-z]+"(;[a-z]+=(\d{1,15}|"[a-z-]+"))+$/);
    const [name = '', ...parameters] = item.split(';');
    return [name.slice(1, -1), Object.fromEntries(parameters.map((parameter) => parameter.split('=')))];
  });
  return Object.fromEntries(items);
}

test.each([
  ['as they are', {}],
  ['of less than one a second', { requestsPerSecond: 0.3, ingestRecordsPerSecond: 0.2, ingestBytesPerSecond: 0.7 }],
  ['beyond what fits a header', { costPerRequest: 1e15, ingestBytesPerSecond: 1e16, ingestRecordsPerSecond: 1e15 }],
])('headers are structured fields with their quotas, units and windows, with rates %s', async (_, rates) => {
  const limits = limitsOf({ rates });
  const standings = [
    [limits.take(ROBIN, 1, 'query'), { requests: undefined, cost: '"points"' }],
    [limits.enter(ROBIN, '/v1/logs', 7), { requests: undefined, bytes: '"content-bytes"', records: '"records"' }],
    [limits.page('10.0.0.1', '/health'), { requests: undefined }],
  ] as const;
  for (const [standing, units] of standings) {
    const { ratelimit = '', 'ratelimit-policy': policy = '' } = limitHeaders(await standing);
    const [told, quotas] = [fieldOf(ratelimit), fieldOf(policy)];
    expect(Object.keys(told)).toEqual(Object.keys(units));
    expect(Object.fromEntries(Object.entries(quotas).map(([name, { qu }]) => [name, qu]))).toEqual(units);
    for (const [name, { r, t }] of Object.entries(told)) {
      expect(Number(r)).toBeLessThanOrEqual(Number(quotas[name]?.['q']));
      expect(Number(t)).toBeLessThanOrEqual(Number(quotas[name]?.['w']) + 1);
    }
  }
});

test('with the shared store away each router counts alone, asks it again after a rest, and goes back to it', async () => {
  const clock = clockAt();
  let isAway = false;
  let asked = 0;
  const far = new MemoryStore(clock);
  const shared = {
    draw: async (...draws: Parameters<MemoryStore['draw']>) => {
      asked += 1;
      if (isAway) throw new Error('gone');
      return far.draw(...draws);
    },
    close: () => undefined,
  };
  const store = new InsuredStore(shared, new MemoryStore(clock), clock, silentLog);
  const limits = limitsOf({ clock, store, rates: { requestsPerSecond: 4 } });
  const ask = (count: number) => outcomes(times(count, () => limits.take(ROBIN, 1, 'query')));
  expect((await ask(3)).admitted).toBe(3);
  isAway = true;
  expect((await ask(20)).admitted).toBe(4);
  expect(store.isAway).toBe(true);
  asked = 0;
  expect((await ask(20)).admitted).toBe(0);
  expect(asked).toBe(0);
  clock.ms += 1_000;
  expect((await ask(20)).admitted).toBe(4);
  expect(asked).toBe(1);
  isAway = false;
  clock.ms += 1_000;
  expect((await ask(20)).admitted).toBeGreaterThanOrEqual(1);
  expect(store.isAway).toBe(false);
  clock.ms += 1_000;
  expect((await ask(20)).admitted).toBe(4);
  limits.close();
});

test('a shared store that hangs makes nobody wait to find out whether it is back', async () => {
  const clock = clockAt();
  const hung: { reject(error: Error): void }[] = [];
  const shared = {
    draw: () => new Promise<never>((_, reject) => hung.push({ reject })),
    close: () => undefined,
  };
  const store = new InsuredStore(shared, new MemoryStore(clock), clock, silentLog);
  const limits = limitsOf({ clock, store, rates: { requestsPerSecond: 4 } });
  const first = outcomes(times(3, () => limits.take(ROBIN, 1, 'query')));
  for (const { reject } of hung.splice(0)) reject(new Error('it took too long'));
  expect((await first).admitted).toBe(3);
  for (let second = 1; second <= 3; second++) {
    clock.ms += 1_000;
    expect((await outcomes(times(9, () => limits.take(ROBIN, 1, 'query')))).admitted).toBe(4);
    // Asked once, as long as it has not said anything.
    expect(hung).toHaveLength(1);
  }
  limits.close();
});

test('use is told of each client, the busiest first, over the last minute', () => {
  const clock = clockAt();
  const usage = new UsageBook(clock);
  const busy = { ...ROBIN, id: 'busy' };
  usage.request(ROBIN);
  for (let at = 0; at < 120; at++) usage.request(busy, 2);
  usage.limited(busy);
  expect(usage.all().map(({ principal, requestsPerSecond }) => [principal.id, requestsPerSecond])).toEqual([
    ['busy', 2],
    ['key:robin', 1 / 60],
  ]);
  clock.ms += 61_000;
  usage.request(ROBIN);
  expect(usage.all()[1]).toMatchObject({ principal: busy, requestsPerSecond: 0, limited: 1, costUsed: 240 });
});
