import type { StreamItem } from '../../../router/engine.ts';
import { GUARD_LIMITS, type Guard } from '../../../router/guard/guard.ts';
import { until } from '../../support/until.ts';
import { ask, CALL, codeOf, guardOver, type Island, json, openIsland, SILENT, WELL } from './support.ts';

let one: Island;
let other: Island;
let guard: Guard;

beforeEach(async () => {
  one = await openIsland();
  other = await openIsland();
});
afterEach(async () => {
  guard.close();
  await one.stop();
  await other.stop();
});

const circuit = () => guard.circuits.get('sea') as NonNullable<ReturnType<Guard['circuits']['get']>>;
const asks = (times: number) => Promise.all(Array.from({ length: times }, () => codeOf(ask(guard))));

test('calls go to all replicas of a subgraph', async () => {
  guard = guardOver([one, other]);
  for (let time = 0; time < 20; time++) await asks(10);
  expect(one.received + other.received).toBe(200);
  expect(Math.min(one.received, other.received)).toBeGreaterThan(20);
});

test('one that breaks is left out, the subgraph stays closed, and it is tried again by one query at a time', async () => {
  guard = guardOver([one, other], { breaker: { ...GUARD_LIMITS.breaker, restMs: 50, maxRestMs: 50 } });
  one.answer = json({}, 500);
  await until(async () => {
    await asks(10);
    return circuit().replicas.some(({ isHealthy }) => !isHealthy);
  });
  expect(circuit().state).toMatchObject({ phase: 'CLOSED', reason: undefined });
  one.answer = WELL;
  await until(
    async () => (await codeOf(ask(guard))) === 'ok' && circuit().replicas.every(({ isHealthy }) => isHealthy),
  );
  expect(circuit().history).toEqual([]);
});

test('a mutation is no trial while another replica lives', async () => {
  guard = guardOver([one, other], { breaker: { ...GUARD_LIMITS.breaker, restMs: 1, maxRestMs: 1 } });
  one.answer = json({}, 500);
  await until(async () => {
    await asks(10);
    return circuit().replicas.some(({ isHealthy }) => !isHealthy);
  });
  await until(() => circuit().replicas.some((replica) => replica.isProbeDue(Date.now())));
  one.received = 0;
  for (let time = 0; time < 20; time++) expect(await codeOf(ask(guard, {}, 'mutation { a }'))).toBe('ok');
  expect(one.received).toBe(0);
});

test('only when all are broken is the subgraph, and one that is back brings it back', async () => {
  guard = guardOver([one, other], { breaker: { ...GUARD_LIMITS.breaker, restMs: 50, maxRestMs: 50 } });
  one.answer = json({}, 500);
  other.answer = json({}, 500);
  await until(async () => {
    await asks(5);
    return circuit().state.phase !== 'CLOSED';
  });
  expect(circuit().history[0]).toMatchObject({ from: 'CLOSED', to: 'OPEN', reason: 'it answered with status 500' });
  other.answer = WELL;
  await until(async () => (await codeOf(ask(guard))) === 'ok');
  expect(circuit().state.phase).toBe('CLOSED');
});

test('force is upon all replicas, and upon those that come later', async () => {
  guard = guardOver([one]);
  circuit().force('OPEN', 'maintenance');
  guard.setReplicas('sea', [one.url, other.url]);
  expect(await asks(3)).toEqual(Array(3).fill('SUBGRAPH_UNAVAILABLE'));
  expect(circuit().state).toMatchObject({ phase: 'OPEN', override: 'OPEN' });
  circuit().force('AUTO', 'done');
  expect(await asks(3)).toEqual(Array(3).fill('ok'));
});

test('one that leaves gets no new calls; what is under way there ends, then its connections close', async () => {
  let release: () => void = () => undefined;
  one.answer = (response, request) => {
    release = () => WELL(response, request);
  };
  guard = guardOver([one]);
  const slow = codeOf(ask(guard));
  await until(() => one.received === 1);
  guard.setReplicas('sea', [other.url]);
  expect(await asks(5)).toEqual(Array(5).fill('ok'));
  expect([one.received, other.received]).toEqual([1, 5]);
  release();
  expect(await slow).toBe('ok');
  await until(() => one.connections === 0);
});

test('an address that comes back is taken again', async () => {
  guard = guardOver([one]);
  await asks(2);
  guard.setReplicas('sea', [other.url]);
  guard.setReplicas('sea', [one.url, one.url]);
  expect(await asks(3)).toEqual(['ok', 'ok', 'ok']);
  expect(circuit().replicas.map(({ ordinal }) => ordinal)).toEqual([2]);
});

test('streams on one that leaves end after the grace, to go on elsewhere', async () => {
  const events: Island['answer'] = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('event: next\nid: c1\ndata: {"data":{}}\n\n');
  };
  one.answer = events;
  guard = guardOver([one], { drainMs: 30 });
  const items: StreamItem[] = [];
  const request = { query: 'subscription { a }' };
  const reading = (async () => {
    for await (const item of guard.subscribe('sea', request, CALL, new AbortController().signal)) items.push(item);
  })();
  await until(() => items.length === 1);
  expect(circuit().replicas[0]?.streams.size).toBe(1);
  guard.setReplicas('sea', [other.url]);
  await expect(reading).rejects.toThrow('its replica left');
  await until(() => one.connections === 0);
});

test('however many streams there are, calls have connections', async () => {
  one.answer = (response, request) => {
    if (request.headers.accept !== 'text/event-stream') return WELL(response, request);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
  };
  guard = guardOver([one]);
  const leaving = new AbortController();
  const streams = Array.from({ length: 150 }, async () => {
    for await (const _ of guard.subscribe('sea', { query: 'subscription { a }' }, CALL, leaving.signal));
  });
  await until(() => circuit().replicas[0]?.streams.size === 150);
  expect(await asks(10)).toEqual(Array(10).fill('ok'));
  leaving.abort();
  await Promise.allSettled(streams);
});

test('without replicas every call is refused; an address that is none changes nothing', async () => {
  guard = guardOver([one]);
  expect(() => guard.setReplicas('sea', ['nowhere'])).toThrow('no address');
  expect(await asks(1)).toEqual(['ok']);
  guard.setReplicas('sea', []);
  expect(await asks(2)).toEqual(['SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE']);
  expect(circuit().state.reason).toBe('it has no replica');
  guard.setReplicas('sea', [one.url]);
  expect(await asks(1)).toEqual(['ok']);
});

test('a subgraph may come, and go', async () => {
  guard = guardOver([one]);
  guard.setReplicas('land', [other.url]);
  await guard.execute('land', { query: '{ a }' }, CALL);
  guard.remove('land');
  guard.remove('land');
  expect([...guard.circuits.keys()]).toEqual(['sea']);
  await until(() => other.connections === 0);
});

test('one that hangs does not draw the calls of its neighbour', async () => {
  guard = guardOver([one, other], { timeoutMs: 300 });
  one.answer = SILENT;
  const codes: string[] = [];
  const many = async () => {
    for (let time = 0; time < 20; time++) codes.push(await codeOf(ask(guard)));
  };
  await Promise.all(Array.from({ length: 5 }, many));
  const late = codes.filter((code) => code !== 'ok').length;
  expect(codes).toHaveLength(100);
  expect(late).toBeLessThanOrEqual(15);
});
