import type { ServerResponse } from 'node:http';
import type { Call } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { BreakerMove } from '../../../router/guard/circuit.ts';
import { serverSentEvents } from '../../../router/guard/event-stream.ts';
import { GUARD_LIMITS, Guard, type GuardLimits } from '../../../router/guard/guard.ts';
import { plainWire } from '../../../router/wire/wire.ts';
import { until } from '../../support/until.ts';
import { plainServer } from './support.ts';

const CALL: Call = {
  principal: { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] },
  requestId: 'r1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  lastEventId: 'c7',
};

/** One plain subgraph that answers as the test says, behind a guard. */
let answer: (response: ServerResponse, headers: Record<string, unknown>) => void;
let server: Awaited<ReturnType<typeof plainServer>>;
const guards: Guard[] = [];
let received = 0;

beforeAll(async () => {
  server = await plainServer((request, response) => {
    received += 1;
    request.resume().on('end', () => answer(response, request.headers));
  });
});
afterAll(async () => {
  for (const guard of guards) guard.close();
  await server.stop();
});

function guardOf(limits: Partial<GuardLimits> = {}, url = `${server.url}/graphql`) {
  const guard = new Guard({
    wireOf: (_subgraph, address) => plainWire(address),
    limits: { ...GUARD_LIMITS, ...limits },
    clock: systemClock,
  });
  guard.setReplicas('sea', [url]);
  guards.push(guard);
  received = 0;
  return guard;
}

function json(body: unknown, status = 200): typeof answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

const ask = (guard: Guard, signal?: AbortSignal) => guard.execute('sea', { query: '{ a }' }, CALL, signal);

async function failTimes(guard: Guard, times: number) {
  const codes: unknown[] = [];
  for (let time = 0; time < times; time++) codes.push(await ask(guard).catch((error) => error.code));
  return codes;
}

test('a plain subgraph gets the request’s id, its trace and JSON', async () => {
  let seen: Record<string, unknown> = {};
  answer = (response, headers) => {
    seen = headers;
    json({ data: { a: 1 } })(response, headers);
  };
  expect(await ask(guardOf())).toEqual({ data: { a: 1 } });
  expect(seen).toMatchObject({
    'x-request-id': 'r1',
    traceparent: CALL.traceparent,
    'content-type': 'application/json',
  });
});

test.each([
  ['a fault of its own', json({ errors: [{ message: 'x', extensions: { code: 'INTERNAL' } }] }), undefined],
  ['a 5xx', json({ errors: [{ message: 'x' }] }, 500), 'SUBGRAPH_UNAVAILABLE'],
  [
    'a redirect',
    (response: ServerResponse) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
    'SUBGRAPH_UNAVAILABLE',
  ],
  [
    'a refused signature',
    json({ errors: [{ message: 'x', extensions: { code: 'UNAUTHENTICATED' } }] }, 401),
    'SUBGRAPH_UNAVAILABLE',
  ],
  ['no JSON', json('<html>'), 'SUBGRAPH_UNAVAILABLE'],
  ['no object', json('[]'), 'SUBGRAPH_UNAVAILABLE'],
  ['data that is no object', json({ data: [] }), 'SUBGRAPH_UNAVAILABLE'],
  ['errors that are none', json({ errors: ['x'] }), 'SUBGRAPH_UNAVAILABLE'],
  ['neither data nor errors', json({}), 'SUBGRAPH_UNAVAILABLE'],
  ['more bytes than it may', json({ data: { a: 'x'.repeat(2_000) } }), 'SUBGRAPH_UNAVAILABLE'],
  ['a torn connection', (response: ServerResponse) => response.destroy(), 'SUBGRAPH_UNAVAILABLE'],
])('%s counts, and five of them open the breaker', async (_, answering, code) => {
  answer = answering as typeof answer;
  const guard = guardOf({ maxAnswerBytes: 1_000 });
  const codes = await failTimes(guard, 5);
  expect(new Set(codes.map((each) => (typeof each === 'string' ? each : undefined)))).toEqual(new Set([code]));
  expect(guard.circuits.get('sea')?.state.phase).toBe('OPEN');
  await expect(ask(guard)).rejects.toMatchObject({
    code: 'SUBGRAPH_UNAVAILABLE',
    extensions: { subgraph: 'sea', retryAfterMs: expect.any(Number), retryable: true },
  });
  expect(received).toBe(5);
});

test('what a subgraph refuses is its answer, and opens nothing', async () => {
  answer = json({ errors: [{ message: 'no such ship', extensions: { code: 'NOT_FOUND' } }] }, 400);
  const guard = guardOf();
  for (let time = 0; time < 10; time++) expect((await ask(guard)).errors).toHaveLength(1);
  expect(guard.circuits.get('sea')?.state.phase).toBe('CLOSED');
});

test('a subgraph that hangs holds twenty calls; whoever else asks is told at once or within the time limit', async () => {
  answer = () => undefined;
  const guard = guardOf({ timeoutMs: 200, bulkhead: { ...GUARD_LIMITS.bulkhead, waitMs: 50 } });
  const codes = await Promise.all(Array.from({ length: 300 }, () => ask(guard).catch((error) => error.code)));
  const count = (code: string) => codes.filter((each) => each === code).length;
  expect({ late: count('TIMEOUT'), over: count('OVERLOADED') }).toEqual({ late: 20, over: 280 });
  expect(received).toBe(20);
  expect(guard.circuits.get('sea')).toMatchObject({ state: { phase: 'OPEN', reason: 'time-out' }, inFlight: 0 });
});

test('once it is back one call finds out, and all go through again', async () => {
  const moves: BreakerMove[] = [];
  answer = json('gone', 500);
  const guard = guardOf({ breaker: { ...GUARD_LIMITS.breaker, restMs: 50 } });
  guard.onMove((move) => moves.push(move));
  await failTimes(guard, 5);
  answer = json({ data: { a: 1 } });
  expect(await until(() => ask(guard).catch(() => undefined))).toEqual({ data: { a: 1 } });
  expect(moves.map(({ from, to, forced }) => [from, to, forced])).toEqual([
    ['CLOSED', 'OPEN', false],
    ['OPEN', 'HALF_OPEN', false],
    ['HALF_OPEN', 'CLOSED', false],
  ]);
});

test('calls beyond the subgraph’s rate are refused with a time', async () => {
  answer = json({ data: { a: 1 } });
  const guard = guardOf({ limitPerSecond: 3 });
  const codes = await Promise.all(
    Array.from({ length: 10 }, () =>
      ask(guard).then(
        () => 'ok',
        (error) => error.code,
      ),
    ),
  );
  expect(codes.filter((code) => code === 'ok')).toHaveLength(3);
  expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(7);
});

test('a caller who has left before, or leaves, is nobody’s failure', async () => {
  answer = () => undefined;
  const guard = guardOf();
  const leaving = new AbortController();
  const asked = Promise.allSettled([ask(guard, leaving.signal), ask(guard, AbortSignal.abort())]);
  await until(() => received === 1);
  leaving.abort();
  expect((await asked).every(({ status }) => status === 'rejected')).toBe(true);
  expect(guard.circuits.get('sea')).toMatchObject({ failureRatio: 0, inFlight: 0 });
  await expect(guard.execute('land', { query: '{ a }' }, CALL)).rejects.toThrow('no subgraph land');
});

async function collect(guard: Guard, signal = new AbortController().signal) {
  const items: unknown[] = [];
  try {
    for await (const item of guard.subscribe('sea', { query: 'subscription { a }' }, CALL, signal)) items.push(item);
    return { items, end: 'completed' };
  } catch (error) {
    return { items, end: error };
  }
}

const events =
  (...parts: string[]): typeof answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of parts) response.write(part);
  };

test('a stream gives payloads with their cursors, bookmarks and signs of life, until it completes', async () => {
  let seen: Record<string, unknown> = {};
  answer = (response, headers) => {
    seen = headers;
    events(
      ':\n\n',
      'event: next\nid: c1\ndata: {"data":\ndata: {"a":1}}\n\n',
      'id: c2\r\n:\r\n\r\n',
      'event: next\ndata:{"errors":[{"message":"x"}]}\n\nevent: complete\ndata:\n\n',
    )(response, headers);
  };
  expect(await collect(guardOf())).toEqual({
    items: [{}, { id: 'c1', answer: { data: { a: 1 } } }, { id: 'c2' }, { answer: { errors: [{ message: 'x' }] } }],
    end: 'completed',
  });
  expect(seen).toMatchObject({ accept: 'text/event-stream', 'last-event-id': 'c7' });
});

test('a stream that ends without completing is lost', async () => {
  answer = (response, headers) => {
    events('event: next\nid: c1\ndata: {"data":{}}\n\n')(response, headers);
    response.end();
  };
  const { items, end } = await collect(guardOf());
  expect(items).toHaveLength(1);
  expect(end).toMatchObject({ message: 'the upstream ended without completing' });
});

test('a stream that falls silent is lost', async () => {
  answer = events(':\n\n');
  const { end } = await collect(guardOf({ silenceMs: 50 }));
  expect(end).toMatchObject({ message: 'the upstream fell silent' });
});

test('a stream that is refused with a code says so, and harms nothing', async () => {
  answer = json({ errors: [{ message: 'too old', extensions: { code: 'RESUME_GAP', cursor: 'c9' } }] }, 400);
  const guard = guardOf();
  for (let time = 0; time < 6; time++) {
    expect((await collect(guard)).end).toMatchObject({
      code: 'RESUME_GAP',
      extensions: { cursor: 'c9', retryable: false },
    });
  }
  expect(guard.circuits.get('sea')?.state.phase).toBe('CLOSED');
});

test('what answers a subscription with anything else is broken', async () => {
  answer = json({ data: { a: 1 } });
  const guard = guardOf();
  expect((await collect(guard)).end).toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  answer = () => undefined;
  expect((await collect(guardOf({ timeoutMs: 50 }))).end).toMatchObject({ code: 'TIMEOUT' });
});

test('a reader who leaves closes the upstream', async () => {
  let closed = false;
  answer = (response, headers) => {
    response.once('close', () => {
      closed = true;
    });
    events(':\n\n')(response, headers);
  };
  const leaving = new AbortController();
  const collected = collect(guardOf(), leaving.signal);
  await until(() => received === 1);
  leaving.abort();
  await collected;
  await until(() => closed);
  expect((await collect(guardOf(), AbortSignal.abort())).items).toEqual([]);
});

test('an event may come in pieces, and may not be endless', async () => {
  async function* pieces() {
    for (const piece of ['data: caf', '\u00e9\r', '\r', '\rwho\nda', 'ta\n\n']) yield Buffer.from(piece);
  }
  const read: unknown[] = [];
  for await (const event of serverSentEvents(pieces(), 1_000)) read.push(event.data);
  expect(read).toEqual(['caf\u00e9', '']);
  async function* endless() {
    for (;;) yield Buffer.from('data: more and more\n');
  }
  await expect(async () => {
    for await (const event of serverSentEvents(endless(), 1_000)) expect(event).toBeUndefined();
  }).rejects.toThrow('over 1000 bytes');
});
