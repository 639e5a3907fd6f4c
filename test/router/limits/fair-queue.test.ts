import type { Call } from '../../../lib/call/signing.ts';
import { FairQueue, type Priority, type Ticket } from '../../../router/limits/fair-queue.ts';
import { notePriority, priorityOf } from '../../../router/limits/priority.ts';
import { CAPACITY_PER_SECOND, LIMITS, simulate } from './overload.ts';
import { ROBIN } from './support.ts';

const ticket = (client: string, priority: Priority = 'script', more: Partial<Ticket> = {}): Ticket => ({
  client,
  priority,
  weight: 1,
  cost: 1,
  sizeBytes: 10,
  ...more,
});
const queueOf = (limits = {}) => new FairQueue<Ticket>({ ...LIMITS, inFlight: 1, ...limits });

/** Who runs, one after the other, once all wait behind the first. */
function order(queue: FairQueue<Ticket>, tickets: readonly Ticket[]): string[] {
  queue.offer(ticket('first', 'on-call'), 0);
  for (const each of tickets) expect(queue.offer(each, 0).outcome).toBe('waits');
  return tickets.flatMap(() => queue.finish(0).map(({ client, priority }) => `${client} ${priority}`));
}

test('on call comes before scripts, scripts before dashboards, whoever came first', () => {
  expect(order(queueOf(), [ticket('d', 'dashboard'), ticket('s'), ticket('o', 'on-call'), ticket('s')])).toEqual([
    'o on-call',
    's script',
    's script',
    'd dashboard',
  ]);
});

test('clients take turns, by weight and by cost', () => {
  const many = (client: string, count: number, more = {}) =>
    Array.from({ length: count }, () => ticket(client, 'script', more));
  const turns = (tickets: Ticket[]) =>
    order(queueOf(), tickets)
      .map((each) => each[0])
      .join('');
  expect(turns([...many('a', 4), ...many('b', 2)])).toBe('ababaa');
  expect(turns([...many('a', 6, { weight: 2 }), ...many('b', 3)])).toBe('abaabaaba');
  expect(turns([...many('1', 3, { cost: 3 }), ...many('2', 6)])).toBe('122212221');
});

test('a place is left for what matters more', () => {
  const queue = queueOf({ inFlight: 10 });
  const run = (priority: Priority) => queue.offer(ticket('x', priority), 0).outcome;
  expect(Array.from({ length: 10 }, () => run('dashboard'))).toEqual([...Array(9).fill('runs'), 'waits']);
  expect([run('on-call'), run('on-call')]).toEqual(['runs', 'waits']);
  expect(queue.start()).toBe(false);
  // The one on call first; the dashboard waits until a tenth place is free again beside it.
  expect(queue.finish(0).map(({ priority }) => priority)).toEqual(['on-call']);
  expect(queue.finish(0)).toEqual([]);
  expect(queue.finish(0).map(({ priority }) => priority)).toEqual(['dashboard']);
});

test('when it is full the lowest is shed, of the client with most; then equals of whoever has more', () => {
  const queue = queueOf({ waiting: 4 });
  queue.offer(ticket('first'), 0);
  const [a1, a2, b] = [ticket('a', 'dashboard'), ticket('a', 'dashboard'), ticket('b', 'dashboard')];
  for (const each of [a1, b, a2, ticket('s')]) queue.offer(each, 0);
  expect(queue.offer(ticket('a', 'dashboard'), 0)).toEqual({ outcome: 'full', shed: [] });
  expect(queue.offer(ticket('o', 'on-call'), 0)).toEqual({ outcome: 'waits', shed: [a2] });
  expect(queue.offer(ticket('o', 'on-call'), 0)).toEqual({ outcome: 'waits', shed: [a1] });
  expect(queue.offer(ticket('o', 'on-call'), 0)).toEqual({ outcome: 'waits', shed: [b] });
  expect(queue.offer(ticket('o', 'on-call'), 0)).toMatchObject({ outcome: 'waits', shed: [{ client: 's' }] });
  expect(queue.offer(ticket('o2', 'on-call'), 0)).toMatchObject({ outcome: 'waits', shed: [{ client: 'o' }] });
  expect(queue.waiting).toBe(4);
});

test('entries, bytes and each client’s own queue are bounded; with no time to wait nobody waits', () => {
  const heavy = queueOf({ waitingBytes: 25 });
  heavy.offer(ticket('first'), 0);
  expect(['a', 'b', 'c'].map((client) => heavy.offer(ticket(client), 0).outcome)).toEqual(['waits', 'waits', 'full']);
  const narrow = queueOf({ waitingPerClient: 1 });
  narrow.offer(ticket('first'), 0);
  expect(['a', 'a', 'b'].map((client) => narrow.offer(ticket(client), 0).outcome)).toEqual([
    'waits',
    'crowded',
    'waits',
  ]);
  const strict = queueOf({ waitMs: 0 });
  expect([strict.offer(ticket('a'), 0).outcome, strict.offer(ticket('a'), 0).outcome]).toEqual(['runs', 'full']);
});

test('a client’s own come in their order while they are fresh, its newest first once they are stale', () => {
  const queue = queueOf({ waitMs: 400 });
  queue.offer(ticket('first'), 0);
  const mine = [1, 2, 3, 4].map((cost) => ticket('a', 'script', { cost }));
  for (const each of mine) queue.offer(each, 0);
  expect([...queue.finish(99), ...queue.finish(100), ...queue.finish(300)].map(({ cost }) => cost)).toEqual([1, 4, 3]);
});

test('after a stall every second turn is the oldest’s, as long as it may be answered in time', () => {
  const queue = queueOf({ waitMs: 400 });
  queue.offer(ticket('first'), 0);
  const mine = [1, 2, 3, 4, 5, 6].map((cost) => ticket('a', 'script', { cost }));
  for (const each of mine) queue.offer(each, 0);
  const turns = [100, 110, 120, 130, 300, 310].flatMap((nowMs) => queue.finish(nowMs));
  expect(turns.map(({ cost }) => cost)).toEqual([6, 1, 5, 2, 4, 3]);
});

test('with fewer places fewer run, and as many more may wait; with more those who wait run', () => {
  const queue = queueOf({ inFlight: 4, waiting: 1, waitingPerClient: 1 });
  const offer = () => queue.offer(ticket('a', 'on-call'), 0).outcome;
  expect([queue.capacity, ...[1, 2, 3, 4].map(offer)]).toEqual([4, 'runs', 'runs', 'runs', 'runs']);
  expect(queue.resize(2, 0)).toEqual([]);
  expect([queue.capacity, queue.running, offer(), offer(), offer(), offer()]).toEqual([
    2,
    4,
    'waits',
    'waits',
    'waits',
    'crowded',
  ]);
  // Two end before anybody runs in their place.
  expect([queue.finish(0), queue.finish(0)].flat()).toEqual([]);
  expect([queue.finish(0).length, queue.running]).toEqual([1, 2]);
  expect([queue.resize(4, 0).length, queue.running, queue.waiting]).toEqual([2, 4, 0]);
});

test('who has waited too long, or has left, loses its place; what it weighed is free again', () => {
  const queue = queueOf({ waitingBytes: 25, waitMs: 100 });
  queue.offer(ticket('first'), 0);
  const [old, gone, young] = [ticket('a'), ticket('b'), ticket('a')];
  queue.offer(old, 0);
  queue.offer(gone, 10);
  queue.leave(gone);
  queue.leave(gone);
  expect(queue.offer(young, 50).outcome).toBe('waits');
  expect(queue.expire(99)).toEqual([]);
  expect(queue.expire(100)).toEqual([old]);
  expect(queue.offer(ticket('c'), 100).outcome).toBe('waits');
  expect([...queue.finish(100), ...queue.finish(100)]).toEqual([young, ticket('c')]);
});

test('a caller’s turn goes by who it is; it may ask for less, and for more only as an operator', () => {
  const callOf = (principal: Partial<Call['principal']>, wish?: string): Call => {
    const call: Call = { requestId: 'r', principal: { ...ROBIN, ...principal } };
    notePriority(call, wish);
    return call;
  };
  const priority = (principal: Partial<Call['principal']>, wish?: string) => priorityOf(callOf(principal, wish));
  expect(priority({})).toBe('dashboard');
  expect(priority({}, 'on-call')).toBe('dashboard');
  expect(priority({ scopes: ['agent'], kind: 'AGENT' })).toBe('script');
  expect(priority({ scopes: ['agent'], kind: 'AGENT' }, 'dashboard')).toBe('dashboard');
  expect(priority({ scopes: ['operator'] })).toBe('script');
  expect(priority({ scopes: ['operator'] }, 'on-call')).toBe('on-call');
  expect(priority({ scopes: ['operator'], kind: 'PERSON' })).toBe('on-call');
  expect(priority({ scopes: ['admin'], kind: 'SYSTEM' }, 'nonsense')).toBe('on-call');
  expect(JSON.parse(JSON.stringify(callOf({}, 'script')))).toEqual({ requestId: 'r', principal: ROBIN });
});

describe.each([1, 2, 3])('in simulated time, seed %i', (seed) => {
  const idle = simulate(0.1, seed, LIMITS);
  const tripled = simulate(3, seed, LIMITS);
  const tenfold = simulate(10, seed, LIMITS);
  const peak = Math.max(...[1, 1.5, 2].map((load) => simulate(load, seed, LIMITS).goodput));

  test('at three times the load those on call wait at most twice as long as on an idle router, and all are served', () => {
    expect(tripled.p99['on-call']).toBeLessThanOrEqual(2 * idle.p99['on-call']);
    expect(tripled.served['on-call']).toBe(1);
  });

  test('what matters least is shed first', () => {
    // On call and scripts together are 1.2 times what can be done.
    expect(tripled.served.script).toBeGreaterThan(0.7);
    expect(tripled.served.dashboard).toBeLessThan(0.1);
    expect(tenfold.served['on-call']).toBeGreaterThan(0.95);
    expect(tenfold.served.dashboard).toBeLessThan(0.01);
  });

  test('at ten times the load as much is done as at the peak; without the queue next to nothing is', () => {
    expect(peak).toBeGreaterThan(0.9 * CAPACITY_PER_SECOND);
    expect(tenfold.goodput).toBeGreaterThanOrEqual(0.9 * peak);
    expect(simulate(10, seed, undefined).goodput).toBeLessThan(0.5 * peak);
  });

  test('nobody waits longer than two seconds, and equals are served alike', () => {
    expect(tripled.longestWaitMs).toBeLessThanOrEqual(2_000);
    const scripts = [...tripled.byClient].filter(([client]) => client.startsWith('script')).map(([, count]) => count);
    expect(scripts).toHaveLength(10);
    expect(Math.max(...scripts)).toBeLessThan(1.2 * Math.min(...scripts));
  });
});
