import { connect } from 'node:net';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Principal } from '../../../lib/call/principal.ts';
import { serverSentEvents } from '../../../router/guard/event-stream.ts';
import { SocketAdmission } from '../../../router/http/socket-admission.ts';
import type { ServedRouter } from '../../../router/server.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

const ROBIN: Principal = { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['viewer'], requestsPerSecond: 500 };
const MOVES = 'subscription ($after: String) { shipMoved(after: $after) { cursor node { name crew } } }';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ heartbeatMs: 50, limits: { sockets: { unauthenticatedPerAddress: 5 } } });
  harbour.sea.tokens.set('robin', ROBIN);
});
afterAll(() => harbour.stop());

/** A subscription by server-sent events, read as it comes. */
async function openEvents(router: ServedRouter, options: { token?: string; query?: string; headers?: object } = {}) {
  const leaving = new AbortController();
  const response = await fetch(`${router.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...bearer(options.token ?? ADMIN_TOKEN),
      ...options.headers,
    },
    body: JSON.stringify({ query: options.query ?? MOVES }),
    signal: leaving.signal,
  });
  const read = { events: [] as AnyShape[], ended: false, response, leave: () => leaving.abort() };
  void (async () => {
    for await (const event of serverSentEvents(response.body as never, 10_000_000)) read.events.push(event);
  })()
    .catch(() => undefined)
    .finally(() => {
      read.ended = true;
    });
  return read;
}

const nexts = (events: AnyShape[]) => events.filter(({ event }) => event === 'next');
const dataOf = (event: AnyShape) => JSON.parse(event.data);

/** The number of subscriptions that the house has. */
const running = () => harbour.sea.running;

test('an event comes by SSE with its cursor and another house’s field; a heartbeat tells the place', async () => {
  const stream = await openEvents(harbour.router);
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
  await until(() => running() === 1);
  harbour.sea.move();
  const event = await until(() => nexts(stream.events)[0]);
  expect(dataOf(event)).toEqual({ data: { shipMoved: { cursor: event.id, node: { name: 'Argo', crew: 50 } } } });
  await until(() => stream.events.some(({ event: kind, id }) => kind === undefined && id === event.id));
  stream.leave();
  await until(() => running() === 0);
});

test('Last-Event-ID resumes, and so does `after`; nothing is lost or repeated', async () => {
  const first = await openEvents(harbour.router);
  await until(() => running() === 1);
  harbour.sea.move();
  const event = await until(() => nexts(first.events)[0]);
  first.leave();
  await until(() => running() === 0);
  harbour.sea.move();
  harbour.sea.move();
  const resumed = await openEvents(harbour.router, { headers: { 'last-event-id': event.id } });
  await until(() => nexts(resumed.events).length === 2);
  const place = Number(event.id.slice(1));
  expect(nexts(resumed.events).map(({ id }) => id)).toEqual([`c${place + 1}`, `c${place + 2}`]);
  resumed.leave();
  await until(() => running() === 0);
});

test('a stock graphql-sse client gets the events', async () => {
  const client = createSseClient({ url: `${harbour.url}/graphql`, headers: bearer(ADMIN_TOKEN), retryAttempts: 0 });
  const events = client.iterate({ query: MOVES });
  const first = events.next();
  await until(() => running() === 1);
  harbour.sea.move();
  expect((await first).value).toMatchObject({ data: { shipMoved: { node: { crew: 50 } } } });
  await events.return?.();
  await until(() => running() === 0);
});

test('a query by SSE is one event and complete; a subscription may come by GET', async () => {
  const query = await openEvents(harbour.router, { query: '{ crews }' });
  await until(() => query.ended);
  expect(query.events.map(({ event }) => event).filter(Boolean)).toEqual(['next', 'complete']);
  const target = `${harbour.url}/graphql?query=${encodeURIComponent(MOVES)}`;
  const leaving = new AbortController();
  const response = await fetch(target, {
    headers: { accept: 'text/event-stream', 'x-fleet-csrf': '1', ...bearer(ADMIN_TOKEN) },
    signal: leaving.signal,
  });
  expect(response.status).toBe(200);
  await until(() => running() === 1);
  leaving.abort();
  await until(() => running() === 0);
});

test('what cannot be subscribed to is refused with its status', async () => {
  const wrong = await openEvents(harbour.router, { query: 'subscription { nothing }' });
  expect(wrong.response.status).toBe(400);
  const nobody = await openEvents(harbour.router, { token: 'wrong' });
  expect(nobody.response.status).toBe(401);
});

test('a field of another’s scope ends a stream with a code, and without complete', async () => {
  harbour.sea.tokens.set('auditor', { ...ROBIN, id: 'key:auditor', scopes: ['auditor'] });
  const stream = await openEvents(harbour.router, { token: 'auditor' });
  await until(() => stream.ended);
  const [last] = nexts(stream.events).map(dataOf);
  expect(last).not.toHaveProperty('data');
  expect(last.errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', requestId: expect.any(String) });
  expect(stream.events.some(({ event }) => event === 'complete')).toBe(false);
});

function openSocket(router: ServedRouter, options: { headers?: Record<string, string>; path?: string } = {}) {
  const url = `${router.url.replace('http', 'ws')}${options.path ?? '/graphql'}`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers: options.headers ?? {} });
  const seen = { socket, messages: [] as AnyShape[], code: undefined as number | undefined, status: 0 };
  socket.on('message', (message) => seen.messages.push(JSON.parse(String(message))));
  socket.on('close', (code) => {
    seen.code = code;
  });
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (_request, response) => {
    seen.status = response.statusCode ?? 0;
    socket.terminate();
  });
  return seen;
}

async function openReady(router: ServedRouter, token = ADMIN_TOKEN) {
  const seen = openSocket(router);
  await until(() => seen.socket.readyState === WebSocket.OPEN);
  seen.socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  await until(() => seen.messages.some(({ type }) => type === 'connection_ack'));
  return seen;
}

const subscribe = (id: string, query: string, variables = {}) =>
  JSON.stringify({ id, type: 'subscribe', payload: { query, variables } });

test('a stock graphql-ws client gets events, answers and errors', async () => {
  const client = createSocketClient({
    url: `${harbour.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${ADMIN_TOKEN}` },
    retryAttempts: 0,
    lazyCloseTimeout: 0,
  });
  const events = client.iterate({ query: MOVES });
  const first = events.next();
  await until(() => running() === 1);
  harbour.sea.move();
  expect((await first).value).toMatchObject({ data: { shipMoved: { node: { crew: 50 } } } });
  await events.return?.();
  await until(() => running() === 0);
  const answer = client.iterate({ query: '{ crews }' });
  expect((await answer.next()).value).toEqual({ data: { crews: 1 } });
  const broken = client.iterate({ query: '{ broken crews }' });
  expect((await broken.next()).value).toMatchObject({
    data: { broken: null, crews: 1 },
    errors: [{ path: ['broken'], extensions: { code: 'INTERNAL' } }],
  });
  await expect(client.iterate({ query: '{ nothing }' }).next()).rejects.toMatchObject([
    { extensions: { requestId: expect.any(String) } },
  ]);
  await client.dispose();
});

test('a token in the header of the upgrade is as good; a wrong or missing one closes with 4401', async () => {
  const known = openSocket(harbour.router, { headers: bearer('robin') });
  await until(() => known.socket.readyState === WebSocket.OPEN);
  known.socket.send('{"type":"connection_init"}');
  await until(() => known.messages.some(({ type }) => type === 'connection_ack'));
  known.socket.send(subscribe('1', '{ crews }'));
  await until(() => known.messages.some(({ type }) => type === 'complete'));
  known.socket.close();
  for (const payload of [{}, { authorization: 'Bearer wrong' }, { authorization: 7 }]) {
    const stranger = openSocket(harbour.router);
    await until(() => stranger.socket.readyState === WebSocket.OPEN);
    stranger.socket.send(JSON.stringify({ type: 'connection_init', payload }));
    expect(await until(() => stranger.code)).toBe(4401);
  }
});

test('with nobody to ask about a token the socket is told to try again later', async () => {
  harbour.sea.credentials = false;
  const socket = openSocket(harbour.router);
  await until(() => socket.socket.readyState === WebSocket.OPEN);
  socket.socket.send('{"type":"connection_init","payload":{"authorization":"Bearer unheard-of"}}');
  expect(await until(() => socket.code)).toBe(1013);
  harbour.sea.credentials = true;
});

test.each([
  ['a message that is none', 'nonsense', 4400],
  ['a second greeting', '{"type":"connection_init"}', 4429],
  ['a message over a megabyte', JSON.stringify({ type: 'ping', payload: { a: 'x'.repeat(1_000_001) } }), 1009],
])('%s closes the socket', async (_, message, code) => {
  const seen = await openReady(harbour.router);
  seen.socket.send(message);
  expect(await until(() => seen.code)).toBe(code);
});

test('the same id twice closes with 4409; a wrong request is told on its id', async () => {
  const seen = await openReady(harbour.router);
  seen.socket.send(subscribe('wrong', ''));
  await until(() => seen.messages.find(({ id, type }) => id === 'wrong' && type === 'error'));
  seen.socket.send(subscribe('1', MOVES));
  await until(() => running() === 1);
  seen.socket.send(subscribe('1', MOVES));
  expect(await until(() => seen.code)).toBe(4409);
  await until(() => running() === 0);
});

test('who asks before greeting is closed with 4401, who stays silent with 4408', async () => {
  const hasty = openSocket(harbour.router);
  await until(() => hasty.socket.readyState === WebSocket.OPEN);
  hasty.socket.send(subscribe('1', '{ crews }'));
  expect(await until(() => hasty.code)).toBe(4401);
  const silent = openSocket(harbour.router);
  expect(await until(() => silent.code)).toBe(4408);
});

test('strangers beyond their number, other paths and foreign pages get no socket', async () => {
  const strangers = Array.from({ length: 5 }, () => openSocket(harbour.router));
  await until(() => strangers.every(({ socket }) => socket.readyState === WebSocket.OPEN));
  const sixth = openSocket(harbour.router);
  expect(await until(() => sixth.status)).toBe(429);
  for (const { socket } of strangers) socket.close();
  await until(() => strangers.every(({ code }) => code));
  const elsewhere = openSocket(harbour.router, { path: '/elsewhere' });
  expect(await until(() => elsewhere.status)).toBe(404);
  const foreign = openSocket(harbour.router, { headers: { origin: 'https://evil.example' } });
  expect(await until(() => foreign.status)).toBe(403);
  const own = openSocket(harbour.router, { headers: { origin: harbour.url } });
  await until(() => own.socket.readyState === WebSocket.OPEN);
  own.socket.close();
});

test('a number of sockets with a credential is kept too', async () => {
  const narrow = await harbour.another({ limits: { sockets: { authenticated: 1 } } });
  await openReady(narrow);
  const second = openSocket(narrow);
  await until(() => second.socket.readyState === WebSocket.OPEN);
  second.socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ADMIN_TOKEN}` } }));
  expect(await until(() => second.code)).toBe(1013);
  const admission = new SocketAdmission({ unauthenticatedPerAddress: 2, authenticated: 1 });
  expect([admission.enter('a'), admission.enter('a'), admission.enter('a'), admission.enter('b')]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  admission.leave('a');
  expect(admission.enter('a')).toBe(true);
});

test('a socket that answers no ping is ended, one that does lives on', async () => {
  const dead = await openReady(harbour.router);
  dead.socket.pong = () => undefined;
  (dead.socket as AnyShape)._receiver.removeAllListeners('ping');
  const talking = await openReady(harbour.router);
  let pings = 0;
  (talking.socket as AnyShape)._receiver.removeAllListeners('ping');
  (talking.socket as AnyShape)._receiver.on('ping', () => {
    pings += 1;
    talking.socket.send('{"type":"ping"}');
  });
  const alive = await openReady(harbour.router);
  expect(await until(() => dead.code)).toBe(1006);
  await until(() => pings > 5);
  expect([alive.code, talking.code]).toEqual([undefined, undefined]);
  alive.socket.close();
  talking.socket.close();
});

test('when a token is revoked its streams are told UNAUTHENTICATED and closed', async () => {
  harbour.sea.tokens.set('brief', { ...ROBIN, id: 'key:brief' });
  const stream = await openEvents(harbour.router, { token: 'brief' });
  const socket = await openReady(harbour.router, 'brief');
  // Another name, so that it is no equal of the first and has an upstream of its own.
  socket.socket.send(subscribe('1', MOVES.replace('subscription', 'subscription Other')));
  await until(() => running() === 2);
  harbour.sea.tokens.delete('brief');
  await until(() => stream.ended);
  expect(dataOf(nexts(stream.events).at(-1))).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  expect(await until(() => socket.code)).toBe(4401);
  expect(socket.messages.find(({ type }) => type === 'next')).toMatchObject({
    payload: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  });
  await until(() => running() === 0);
});

test('a router that stops ends streams so that stock clients come back', async () => {
  const leaving = await harbour.another();
  const stream = await openEvents(leaving);
  const socket = await openReady(leaving);
  // Another name, so that it is no equal of the first and has an upstream of its own.
  socket.socket.send(subscribe('1', MOVES.replace('subscription', 'subscription Other')));
  await until(() => running() === 2);
  await leaving.stop();
  await until(() => stream.ended);
  expect(stream.events.some(({ event }) => event === 'complete')).toBe(false);
  expect(await until(() => socket.code)).toBe(1012);
  await until(() => running() === 0);
});

test('a reader who falls behind is cut with the cursor of what he was sent', async () => {
  // With pings as rare as they are in life: a reader who is only slow is not dead.
  const slow = await openReady(await harbour.another({ heartbeatMs: 15_000 }));
  slow.socket.send(subscribe('1', 'subscription { shipMoved { cursor filler } }'));
  await until(() => running() === 1);
  slow.socket.pause();
  const filler = 'x'.repeat(50_000);
  await until(() => {
    for (let time = 0; time < 50; time++) harbour.sea.move(filler);
    return running() === 0;
  });
  slow.socket.resume();
  const told = await until(() => slow.messages.find(({ payload }) => payload?.errors));
  const received = slow.messages.filter(({ payload }) => payload?.data);
  expect(told.payload.errors[0].extensions).toMatchObject({
    code: 'SLOW_CONSUMER',
    cursor: received.at(-1).payload.data.shipMoved.cursor,
  });
  slow.socket.close();
});

test('one who reads server-sent events too slowly is cut with his cursor too', async () => {
  const calm = await harbour.another({ heartbeatMs: 15_000 });
  const body = JSON.stringify({ query: 'subscription { shipMoved { cursor filler } }' });
  const socket = connect(Number(new URL(calm.url).port), '127.0.0.1');
  socket.write(
    `POST /graphql HTTP/1.0\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\ncontent-type: application/json\r\n` +
      `authorization: Bearer ${ADMIN_TOKEN}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => running() === 1);
  const filler = 'x'.repeat(50_000);
  await until(() => {
    for (let time = 0; time < 50; time++) harbour.sea.move(filler);
    return running() === 0;
  });
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  const ids = [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id);
  const last = JSON.parse(text.trim().split('data: ').at(-1) as string);
  expect(last.errors[0].extensions).toMatchObject({ code: 'SLOW_CONSUMER', cursor: ids.at(-1) });
  const scraped = await fetch(`${calm.url}/metrics`, { headers: bearer(ADMIN_TOKEN) });
  expect(await scraped.text()).toMatch(/^fleet_router_slow_readers_total 1$/m);
  expect(text).not.toContain('event: complete');
});
