import { GUARD_LIMITS, type Guard } from '../../../router/guard/guard.ts';
import { RETRY_POLICY } from '../../../router/guard/retry-budget.ts';
import { ask, codeOf, guardOver, type Island, json, openIsland, WELL } from './support.ts';

let one: Island;
let other: Island;
let guard: Guard;
/** So that the breaker leaves the budget alone. */
const UNBREAKABLE = { breaker: { ...GUARD_LIMITS.breaker, minimumCalls: 1_000_000, failuresInRow: 1_000_000 } };
const TORN: Island['answer'] = (response) => response.destroy();

beforeEach(async () => {
  one = await openIsland();
  other = await openIsland();
});
afterEach(async () => {
  guard.close();
  await one.stop();
  await other.stop();
});

const askTimes = async (times: number, query?: string) => {
  const codes: string[] = [];
  for (let time = 0; time < times; time++) codes.push(await codeOf(ask(guard, {}, query)));
  return codes;
};

test('a dead subgraph gets at most 1.1 times the calls', async () => {
  one.answer = TORN;
  guard = guardOver([one], { ...UNBREAKABLE, retry: { ...RETRY_POLICY, jitterMs: 1 } });
  expect(new Set(await askTimes(100))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  expect(one.received).toBe(110);
});

test('a query whose connection broke is asked of another replica; a mutation never', async () => {
  guard = guardOver([one, other], UNBREAKABLE);
  await askTimes(100);
  one.answer = TORN;
  expect(new Set(await askTimes(8))).toEqual(new Set(['ok']));
  one.received = 0;
  other.received = 0;
  other.answer = TORN;
  expect(await askTimes(5, 'mutation { a }')).toEqual(Array(5).fill('SUBGRAPH_UNAVAILABLE'));
  expect(one.received + other.received).toBe(5);
});

test('whoever answers 503 with a time is asked again after it, or another at once; without a time not', async () => {
  guard = guardOver([one], UNBREAKABLE);
  await askTimes(30);
  one.answer = (response, request) => {
    one.answer = WELL;
    json({}, 503, { 'retry-after': '0' })(response, request);
  };
  expect(await codeOf(ask(guard))).toBe('ok');
  one.answer = json({}, 503, { 'retry-after': '600' });
  one.received = 0;
  expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  guard.setReplicas('sea', [one.url, other.url]);
  expect(await askTimes(2)).toEqual(['ok', 'ok']);
  guard.setReplicas('sea', [one.url]);
  one.answer = json({}, 503);
  one.received = 0;
  expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  expect(one.received).toBe(1);
});

test('what was answered, however badly, or too late, is not asked again', async () => {
  guard = guardOver([one], { ...UNBREAKABLE, timeoutMs: 50 });
  await askTimes(50);
  for (const answer of [json({}, 500), json([]), () => undefined]) {
    one.answer = answer;
    one.received = 0;
    await codeOf(ask(guard));
    expect(one.received).toBe(1);
  }
});

/** Closes each connection at its n-th request, without a word. */
function fickle(nth: number): Island['answer'] {
  const used = new WeakMap<object, number>();
  return (response, request) => {
    const { socket } = request;
    const times = (used.get(socket) ?? 0) + 1;
    if (times === nth) return socket.destroy();
    used.set(socket, times);
    WELL(response, request);
  };
}

test('a query that meets a kept connection as it is closed is sent anew on a new one, which is no failure', async () => {
  one.answer = fickle(12);
  guard = guardOver([one], {});
  expect(new Set(await askTimes(60))).toEqual(new Set(['ok']));
  expect([one.received, guard.circuits.get('sea')?.failureRatio]).toEqual([65, 0]);
});

test('calls that are sent anew are paid from the budget of retries, whatever the reason', async () => {
  one.answer = fickle(2);
  guard = guardOver([one], { ...UNBREAKABLE, retry: { ...RETRY_POLICY, percent: 10, burst: 0 } });
  await askTimes(100);
  expect(one.received).toBeLessThanOrEqual(110);
});

test('a mutation that meets one is not sent anew: nobody knows what became of it', async () => {
  one.answer = fickle(2);
  guard = guardOver([one], UNBREAKABLE);
  expect(await askTimes(4, 'mutation { a }')).toEqual(['ok', 'SUBGRAPH_UNAVAILABLE', 'ok', 'SUBGRAPH_UNAVAILABLE']);
  expect(one.received).toBe(4);
});

test('a subgraph that dies with all its connections is not sent everything twice', async () => {
  guard = guardOver([one], { ...UNBREAKABLE, retry: { ...RETRY_POLICY, percent: 0 } });
  const all = () => Promise.all(Array.from({ length: 20 }, (_, at) => codeOf(ask(guard, {}, `{ a${at}: a }`))));
  await all();
  one.answer = TORN;
  one.received = 0;
  expect(new Set(await all())).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  expect(one.received).toBeLessThanOrEqual(30);
});

test('whose failure opens the breaker is told of it at once: a second attempt would only be refused', async () => {
  guard = guardOver([one], {
    breaker: { ...GUARD_LIMITS.breaker, minimumCalls: 1_000_000, failuresInRow: 1 },
    retry: { ...RETRY_POLICY, jitterMs: 20 },
  });
  expect(new Set(await askTimes(30))).toEqual(new Set(['ok']));
  one.answer = TORN;
  const told = () => ask(guard).then(String, (error: Error) => error.message);
  expect(await told()).toBe('sea cannot answer now');
  expect(await told()).toBe('sea is resting after failures');
  // Once on a kept connection, which it might just have closed, and once on a new one.
  expect(one.received).toBe(30 + 2);
});
