import fc from 'fast-check';
import { systemClock } from '../../../lib/clock.ts';
import { Bulkhead } from '../../../router/guard/bulkhead.ts';
import {
  CONCURRENCY_POLICY,
  type ConcurrencyState,
  concurrencyLimit,
  firstConcurrency,
  learnConcurrency,
} from '../../../router/guard/concurrency.ts';
import type { Lane } from '../../../router/guard/lane.ts';
import { until } from '../../support/until.ts';
import { CALL, codeOf, guardOver, openIsland, SILENT } from './support.ts';

const POLICY = CONCURRENCY_POLICY;

/** Calls that always use the whole limit, each taking as long as the subgraph needs with so many under way. */
function busy(state: ConcurrencyState, calls: number, tookMs: (inFlight: number) => number, startMs = 0) {
  let nowMs = startMs;
  for (let call = 0; call < calls; call++) {
    const inFlight = Math.floor(state.limit);
    nowMs += tookMs(inFlight) / inFlight;
    state = learnConcurrency(state, { tookMs: tookMs(inFlight), inFlight, timedOut: false }, nowMs, POLICY);
  }
  return { state, nowMs };
}

test('a subgraph that takes any number gets as many as are needed within a few hundred answers', () => {
  const { state } = busy(firstConcurrency(POLICY, 0), 700, () => 10);
  expect(state.limit).toBe(POLICY.most);
});

test('one whose latency rises with every call more is not piled upon', () => {
  const { state } = busy(firstConcurrency(POLICY, 0), 300, (inFlight) => 2 * inFlight ** 2);
  expect(state.limit).toBeLessThan(100);
});

test('a stall that makes all calls late at once lowers it by little', () => {
  const { state, nowMs } = busy(firstConcurrency(POLICY, 0), 700, () => 40);
  let after = state;
  for (let call = 0; call < 200; call++) {
    after = learnConcurrency(after, { tookMs: 400, inFlight: 500, timedOut: false }, nowMs + 360, POLICY);
  }
  expect(after.limit).toBeGreaterThan(0.85 * POLICY.most);
});

test('whatever happens the limit stays between the first and the most', () => {
  const sample = fc.record({
    tookMs: fc.integer({ min: 0, max: 10_000 }),
    inFlight: fc.integer({ min: 1, max: 600 }),
    timedOut: fc.boolean(),
    passedMs: fc.nat(3_000),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 200 }), (samples) => {
      let nowMs = 0;
      let state = firstConcurrency(POLICY, nowMs);
      for (const { passedMs, ...call } of samples) {
        nowMs += passedMs;
        state = learnConcurrency(state, call, nowMs, POLICY);
        expect(state.limit).toBeGreaterThanOrEqual(POLICY.initial);
        expect(state.limit).toBeLessThanOrEqual(POLICY.most);
        expect(concurrencyLimit(state, nowMs, POLICY)).toBeGreaterThanOrEqual(POLICY.initial);
      }
    }),
  );
});

test('a large limit is not risked on a subgraph that has fallen silent', () => {
  const { state, nowMs } = busy(firstConcurrency(POLICY, 0), 700, () => 10);
  expect(concurrencyLimit(state, nowMs, POLICY)).toBe(POLICY.most);
  expect(concurrencyLimit(state, nowMs + 501, POLICY)).toBe(POLICY.initial);
});

test('a limit that is not needed any more fades, and time-outs bring it down', () => {
  const { state, nowMs } = busy(firstConcurrency(POLICY, 0), 700, () => 10);
  const lone = { tookMs: 10, inFlight: 1, timedOut: false };
  expect(learnConcurrency(state, lone, nowMs + 1_000, POLICY).limit).toBe(POLICY.most / 2);
  expect(learnConcurrency(state, lone, nowMs + 60_000, POLICY).limit).toBe(POLICY.initial);
  let late = state;
  for (let call = 0; call < 40; call++) {
    late = learnConcurrency(late, { tookMs: 5_000, inFlight: 500, timedOut: true }, nowMs, POLICY);
  }
  expect(late.limit).toBe(POLICY.initial);
});

function bulkheadOf(waitMs = 10_000, mostWaiting = 3) {
  return new Bulkhead('sea', { initial: 2, most: 2, mostWaiting, waitMs }, systemClock);
}

test('those beyond the limit go in the order they came, as others end', async () => {
  const bulkhead = bulkheadOf();
  expect([bulkhead.tryTake(0), bulkhead.tryTake(0), bulkhead.tryTake(0)]).toEqual([true, true, false]);
  const order: number[] = [];
  const waiting = [1, 2, 3].map((each) => bulkhead.wait(10_000, undefined, 'script').then(() => order.push(each)));
  expect(bulkhead.waiting).toBe(3);
  await expect(bulkhead.wait(10_000, undefined, 'script')).rejects.toMatchObject({
    code: 'OVERLOADED',
    extensions: { subgraph: 'sea', retryAfterMs: 10_000 },
  });
  for (let each = 0; each < 3; each++) bulkhead.release(0, undefined, false);
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  bulkhead.release(0, undefined, false);
  expect([bulkhead.tryTake(0), bulkhead.tryTake(0)]).toEqual([true, false]);
});

test('of sixty callers at most twenty reach a subgraph that hangs, also when it has just taken any number', async () => {
  const island = await openIsland();
  const guard = guardOver([island]);
  const leaving = new AbortController();
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) =>
      codeOf(guard.execute('sea', { query: `{ a${at} }` }, CALL, leaving.signal)),
    );
  const { bulkhead } = guard.lanes.get('sea') as Lane;
  await until(async () => {
    await Promise.all(many(200));
    return bulkhead.limit > 100;
  });
  island.answer = SILENT;
  island.received = 0;
  const asked = many(60);
  await until(() => island.received >= 20);
  expect([island.received, bulkhead.waiting]).toEqual([20, 40]);
  leaving.abort();
  await Promise.all(asked);
  guard.close();
  await island.stop();
});

test('one that waited too long, whose time is over, or whose caller left, takes no place', async () => {
  const bulkhead = bulkheadOf(20);
  bulkhead.tryTake(0);
  bulkhead.tryTake(0);
  const left = new AbortController();
  const waiting = Promise.allSettled([
    bulkhead.wait(10_000, undefined, 'script'),
    bulkhead.wait(5, undefined, 'script'),
    bulkhead.wait(10_000, left.signal, 'script'),
  ]);
  left.abort();
  expect((await waiting).map((each) => each.status === 'rejected' && each.reason.message)).toEqual([
    'sea has more calls than it answers',
    'it did not answer in time',
    'the caller left',
  ]);
  await expect(bulkhead.wait(10_000, AbortSignal.abort(), 'script')).rejects.toThrow('the caller left');
  bulkhead.release(0, undefined, false);
  expect([bulkhead.waiting, bulkhead.tryTake(0), bulkhead.tryTake(0)]).toEqual([0, true, false]);
});

test('those who wait in vain are forgotten, however many', async () => {
  const bulkhead = bulkheadOf(1, 10);
  bulkhead.tryTake(0);
  bulkhead.tryTake(0);
  for (let round = 0; round < 20; round++) {
    const all = Array.from({ length: 10 }, () => bulkhead.wait(1, undefined, 'script').catch(() => undefined));
    await Promise.all(all);
  }
  bulkhead.release(0, undefined, false);
  await until(() => bulkhead.waiting === 0);
  expect(bulkhead.tryTake(0)).toBe(true);
});

test('nobody waits for a subgraph that is resting', async () => {
  const bulkhead = bulkheadOf();
  bulkhead.tryTake(0);
  bulkhead.tryTake(0);
  const waiting = bulkhead.wait(10_000, undefined, 'script');
  bulkhead.refuseWaiting(() => new Error('resting'));
  await expect(waiting).rejects.toThrow('resting');
  expect(bulkhead.waiting).toBe(0);
});

test("the most urgent has the next place, each kind in the order it came; who is in nobody's way waits on", async () => {
  const bulkhead = new Bulkhead('sea', { ...POLICY, initial: 1, mostWaiting: 10, waitMs: 10_000 }, systemClock);
  expect(bulkhead.tryTake(0)).toBe(true);
  const order: string[] = [];
  const waiting = (['dashboard', 'script', 'on-call', 'dashboard', 'on-call'] as const).map((priority, at) =>
    bulkhead.wait(10_000, undefined, priority).then(() => order.push(`${priority} ${at}`)),
  );
  for (let turn = 1; turn <= waiting.length; turn++) {
    bulkhead.release(0, 1, false);
    await until(() => order.length === turn);
  }
  expect(order).toEqual(['on-call 2', 'on-call 4', 'script 1', 'dashboard 0', 'dashboard 3']);
});

test('where no more may wait the last of the least urgent is sent away for one who is more urgent, and for nobody else', async () => {
  const bulkhead = new Bulkhead('sea', { ...POLICY, initial: 1, mostWaiting: 3, waitMs: 10_000 }, systemClock);
  bulkhead.tryTake(0);
  const told: string[] = [];
  const ask = (name: string, priority: 'on-call' | 'script' | 'dashboard') =>
    bulkhead.wait(10_000, undefined, priority).then(
      () => told.push(`${name} runs`),
      ({ code }: { code: string }) => told.push(`${name} ${code}`),
    );
  void [ask('one', 'dashboard'), ask('two', 'script'), ask('three', 'dashboard')];
  await ask('four', 'dashboard');
  void ask('five', 'on-call');
  void ask('six', 'script');
  await until(() => told.length === 3);
  expect(told).toEqual(['four OVERLOADED', 'three OVERLOADED', 'one OVERLOADED']);
  expect(bulkhead.waiting).toBe(3);
  for (let turn = 4; turn <= 6; turn++) {
    bulkhead.release(0, 1, false);
    await until(() => told.length === turn);
  }
  expect(told.slice(3)).toEqual(['five runs', 'two runs', 'six runs']);
});
