import type { Principal } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { asFleetError } from '../../../lib/errors.ts';
import { LiveStreams } from '../../../router/http/live-streams.ts';
import { StreamGate } from '../../../router/http/stream-gate.ts';
import { until } from '../../support/until.ts';
import { openEvents, openReady } from './stream-clients.ts';
import { ADMIN_TOKEN, type Harbour, openHarbour } from './support.ts';

const QUERY = 'subscription { shipMoved { cursor } }';
const by = (kind: Principal['kind'], scopes: string[]): Call =>
  ({ principal: { id: kind, kind, name: kind, scopes }, requestId: 'r' }) as never;
const ON_CALL = by('PERSON', ['operator']);
const SCRIPT = by('SCRIPT', ['agent']);
const DASHBOARD = by('PERSON', ['viewer']);

/** A gate whose time the test tells. */
function gate(limits: object) {
  const time = { nowMs: 1_000 };
  const clock = { nowMs: () => time.nowMs, uuid: () => '', random: () => 0.5 };
  return { time, gate: new StreamGate({ perSecond: 100, burst: 2, waiting: 4, waitMs: 5_000, ...limits }, clock) };
}

/** Enters, and writes down what became of it. */
function entering(into: StreamGate, order: string[], name: string, call: Call, isLeft = () => false): void {
  const turn = into.enter(call, isLeft);
  if (!turn) order.push(name);
  else {
    turn.then(
      () => order.push(name),
      (error) => order.push(`${name} ${asFleetError(error)?.code}`),
    );
  }
}

test('streams beyond the burst wait for their turn, the most urgent first', async () => {
  const { gate: at, time } = gate({});
  const order: string[] = [];
  for (const name of ['d1', 'd2', 'd3']) entering(at, order, name, DASHBOARD);
  entering(at, order, 's1', SCRIPT);
  entering(at, order, 'o1', ON_CALL);
  expect(order).toEqual(['d1', 'd2']);
  expect(at.size).toBe(3);
  for (const [nowMs, name] of [
    [1_010, 'o1'],
    [1_020, 's1'],
    [1_030, 'd3'],
  ] as const) {
    time.nowMs = nowMs;
    await until(() => order.includes(name));
  }
  expect(order).toEqual(['d1', 'd2', 'o1', 's1', 'd3']);
  expect(at.size).toBe(0);
});

test('who has gone takes no turn, and who waits too long is told when to come again', async () => {
  const { gate: at, time } = gate({ burst: 1, perSecond: 1 });
  const order: string[] = [];
  for (const name of ['one', 'late']) entering(at, order, name, SCRIPT);
  entering(at, order, 'gone', ON_CALL, () => true);
  await until(() => order.includes('gone'));
  expect(at.size).toBe(1);
  time.nowMs += 5_000;
  await until(() => at.size === 0);
  expect(order).toEqual(['one', 'gone', 'late OVERLOADED']);
  expect(at.refused).toBe(1);
});

test('a full gate sends away the least urgent, with a time that differs', async () => {
  const { gate: at } = gate({ burst: 1, perSecond: 0.001, waiting: 2 });
  const order: string[] = [];
  for (const name of ['d1', 'd2', 'd3']) entering(at, order, name, DASHBOARD);
  entering(at, order, 'o1', ON_CALL);
  await until(() => order.length === 2);
  expect(order).toEqual(['d1', 'd3 OVERLOADED']);
  expect(() => at.enter(DASHBOARD, () => false)).toThrow('come again later');
  const refusal = (() => {
    try {
      return at.enter(DASHBOARD, () => false);
    } catch (error) {
      return asFleetError(error);
    }
  })();
  expect(refusal).toMatchObject({ code: 'OVERLOADED', extensions: { retryAfterMs: expect.any(Number) } });
});

test('a stream that comes while the router goes down is sent on at once', () => {
  const streams = new LiveStreams({ isOpen: true } as never, systemClock);
  streams.stop();
  let drained = 0;
  const drain = () => {
    drained += 1;
  };
  streams.add({ principal: ON_CALL.principal, token: undefined, expire: () => undefined, drain });
  expect(drained).toBe(1);
});

describe('a router that opens few streams', () => {
  let harbour: Harbour;
  beforeAll(async () => {
    const streams = { perSecond: 0.001, burst: 1, waiting: 0, waitMs: 1 };
    harbour = await openHarbour({ limits: { streams } });
  });
  afterAll(() => harbour.stop());

  test('answers server-sent events 503 with a time, and closes a socket so that stock clients come again', async () => {
    const first = await openEvents(harbour.router, { query: QUERY });
    await until(() => harbour.sea.running === 1);
    const refused = await fetch(`${harbour.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${ADMIN_TOKEN}`,
      },
      body: JSON.stringify({ query: QUERY }),
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const { socket } = await openReady(harbour.router);
    let code: number | undefined;
    socket.on('close', (given) => {
      code = given;
    });
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
    await until(() => code !== undefined);
    expect(code).toBe(1013);
    expect(await harbour.ask('{ crews }')).toMatchObject({ status: 200 });
    first.stop();
  });
});

test('who leaves while he waits opens no stream, whatever he came by', async () => {
  const streams = { perSecond: 0.001, burst: 1, waiting: 10, waitMs: 60_000 };
  const harbour = await openHarbour({ limits: { streams } });
  const waiting = async () => {
    const scraped = await fetch(`${harbour.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    return Number(/^fleet_router_streams_waiting (\d+)$/m.exec(await scraped.text())?.[1]);
  };
  const first = await openEvents(harbour.router, { query: QUERY });
  await until(() => harbour.sea.running === 1);
  const leaving = new AbortController();
  const asked = fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${ADMIN_TOKEN}`,
    },
    body: JSON.stringify({ query: QUERY.replace('subscription', 'subscription Another') }),
    signal: leaving.signal,
  });
  const { socket } = await openReady(harbour.router);
  const query = QUERY.replace('subscription', 'subscription Third');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  await until(async () => (await waiting()) === 2);
  leaving.abort();
  socket.terminate();
  await expect(asked).rejects.toThrow();
  await until(async () => (await waiting()) === 0);
  expect(harbour.sea.running).toBe(1);
  expect((await harbour.ask('{ router { subscriptions } }')).data).toEqual({ router: { subscriptions: 1 } });
  first.stop();
  await harbour.stop();
});

test('who ends what waits to be opened leaves nothing behind, and its id is another’s to have', async () => {
  const streams = { perSecond: 0.001, burst: 1, waiting: 3, waitMs: 60_000 };
  const harbour = await openHarbour({ limits: { streams } });
  const waiting = async () => {
    const scraped = await fetch(`${harbour.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    return Number(/^fleet_router_streams_waiting (\d+)$/m.exec(await scraped.text())?.[1]);
  };
  const first = await openEvents(harbour.router, { query: QUERY });
  await until(() => harbour.sea.running === 1);
  const { socket, messages } = await openReady(harbour.router);
  const subscribe = (query: string) => socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  // More often than may wait: nobody who has gone takes a place.
  for (let time = 0; time < 10; time += 1) {
    subscribe(QUERY);
    await until(async () => (await waiting()) === 1);
    socket.send(JSON.stringify({ id: '1', type: 'complete' }));
    if (time % 2) await until(async () => (await waiting()) === 0);
  }
  subscribe('{ crews }');
  await until(() => messages.some(({ type }) => type === 'complete'));
  expect(messages.filter(({ type }) => type !== 'connection_ack')).toEqual([
    { id: '1', type: 'next', payload: { data: { crews: 1 } } },
    { id: '1', type: 'complete' },
  ]);
  await until(async () => (await waiting()) === 0);
  expect(harbour.sea.running).toBe(1);
  first.stop();
  socket.close();
  await harbour.stop();
});

describe('a router whose clients may have two subscriptions', () => {
  let harbour: Harbour;
  beforeAll(async () => {
    harbour = await openHarbour({ limits: { streamsPerClient: 2 } });
  });
  afterAll(() => harbour.stop());

  test('refuses the third by whichever door it comes, until one has ended', async () => {
    const first = await openEvents(harbour.router, { query: QUERY });
    const { socket } = await openReady(harbour.router);
    const heard: { id: string; type: string; payload: { extensions: object }[] }[] = [];
    socket.on('message', (text) => heard.push(JSON.parse(String(text))));
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
    await until(() => harbour.sea.running >= 1);
    const events = () =>
      fetch(`${harbour.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: 'Bearer admin-token-of-the-tests',
        },
        body: JSON.stringify({ query: QUERY }),
      });
    socket.send(JSON.stringify({ id: '2', type: 'subscribe', payload: { query: QUERY } }));
    await until(() => heard.some(({ id, type }) => id === '2' && type === 'error'));
    expect(heard.at(-1)?.payload[0]?.extensions).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 5_000,
      requestId: expect.any(String),
    });
    const refused = await events();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    first.stop();
    await until(async () => {
      const again = await events();
      await again.body?.cancel();
      return again.status === 200;
    });
    socket.close();
  });
});
