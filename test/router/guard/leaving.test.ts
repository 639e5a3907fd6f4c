import { until } from '../../support/until.ts';
import { openReady } from '../edge/stream-clients.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from '../edge/support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ limits: { batch: 5 } });
});
afterAll(() => harbour.stop());

let letGo: () => void = () => undefined;
beforeEach(() => {
  harbour.sea.gate = new Promise((resolve) => {
    letGo = resolve;
  });
});
afterEach(() => letGo());

const HEADERS = { 'content-type': 'application/json', ...bearer(ADMIN_TOKEN) };
const TOKEN = 'x-graphql-event-stream-token';
const QUERY = '{ slow }';
const SUBSCRIPTION = 'subscription { shipMoved { cursor } }';

/** Sends a request, and gives what ends it. */
function sent(init: RequestInit, query = ''): () => Promise<unknown> {
  const leaving = new AbortController();
  const answer = fetch(`${harbour.url}/graphql${query}`, { ...init, signal: leaving.signal }).catch(() => undefined);
  return async () => leaving.abort(await Promise.race([answer, undefined]));
}

const posted = (body: unknown, headers = {}) =>
  sent({ method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) });

/** An operation on a stream of many, and what ends it. */
async function onStream(query: string, isWhole: boolean): Promise<() => Promise<unknown>> {
  const reserved = await fetch(`${harbour.url}/graphql`, { method: 'PUT', headers: HEADERS });
  const headers = { ...HEADERS, [TOKEN]: await reserved.text() };
  const close = sent({ headers: { ...headers, accept: 'text/event-stream' } });
  const asked = await fetch(`${harbour.url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, extensions: { operationId: 'one' } }),
  });
  expect(asked.status).toBe(202);
  const stop = () => fetch(`${harbour.url}/graphql?operationId=one`, { method: 'DELETE', headers });
  return async () => {
    if (isWhole) return await close();
    await stop();
    return await close();
  };
}

async function onSocket(query: string, isWhole: boolean): Promise<() => Promise<unknown>> {
  const { socket } = await openReady(harbour.router);
  socket.send(JSON.stringify({ id: 'one', type: 'subscribe', payload: { query } }));
  return async () => {
    if (isWhole) return socket.close();
    socket.send(JSON.stringify({ id: 'one', type: 'complete' }));
    // The socket stays: it is the operation that is over.
    await until(() => circuit().inFlight === 0 && harbour.sea.running === 0);
    return socket.close();
  };
}

const circuit = () => harbour.router.guard.circuits.get('ships') as { inFlight: number; failureRatio: number };
const EVENTS = { accept: 'text/event-stream' };

test.each<[string, () => (() => Promise<unknown>) | Promise<() => Promise<unknown>>]>([
  ['closes the connection of its POST', () => posted({ query: QUERY })],
  [
    'closes the connection of its GET',
    () => sent({ headers: { ...HEADERS, 'x-fleet-csrf': '1' } }, `?query=${encodeURIComponent(QUERY)}`),
  ],
  ['closes the connection of its batch', () => posted([{ query: QUERY }, { query: '{ again: slow }' }])],
  ['closes the events of its query', () => posted({ query: QUERY }, EVENTS)],
  ['ends its query on a stream of many', () => onStream(QUERY, false)],
  ['closes a stream of many', () => onStream(QUERY, true)],
  ['completes its query on a socket', () => onSocket(QUERY, false)],
  ['closes its socket', () => onSocket(QUERY, true)],
])('whoever %s takes his calls with him, and that is no failure', async (_, ask) => {
  const leave = await ask();
  await until(() => circuit().inFlight > 0);
  await leave();
  await until(() => circuit().inFlight === 0);
  expect(circuit().failureRatio).toBe(0);
});

test.each<[string, () => (() => Promise<unknown>) | Promise<() => Promise<unknown>>]>([
  ['closes its events', () => posted({ query: SUBSCRIPTION }, EVENTS)],
  ['ends it on a stream of many', () => onStream(SUBSCRIPTION, false)],
  ['completes it on a socket', () => onSocket(SUBSCRIPTION, false)],
  ['closes its socket', () => onSocket(SUBSCRIPTION, true)],
])('whoever %s ends the subscription upstream', async (_, ask) => {
  const leave = await ask();
  await until(() => harbour.sea.running === 1);
  await leave();
  await until(() => harbour.sea.running === 0);
});

test('a socket on which a query was completed goes on answering, and says nothing of that query', async () => {
  const { socket, messages } = await openReady(harbour.router);
  const say = (message: object) => socket.send(JSON.stringify(message));
  say({ id: 'one', type: 'subscribe', payload: { query: QUERY } });
  await until(() => circuit().inFlight > 0);
  say({ id: 'one', type: 'complete' });
  await until(() => circuit().inFlight === 0);
  say({ id: 'one', type: 'subscribe', payload: { query: '{ crews }' } });
  await until(() => messages.some(({ type }) => type === 'complete'));
  expect(messages.filter(({ type }) => type !== 'connection_ack')).toEqual([
    { id: 'one', type: 'next', payload: { data: { crews: 1 } } },
    { id: 'one', type: 'complete' },
  ]);
  socket.close();
});
