import { createClient } from 'graphql-sse';
import type { Principal } from '../../../lib/call/principal.ts';
import { serverSentEvents } from '../../../router/guard/event-stream.ts';
import { RESERVATION_LIMITS, Reservations } from '../../../router/http/reservations.ts';
import type { ServedRouter } from '../../../router/server.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

const ROBIN: Principal = { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['viewer'], requestsPerSecond: 500 };
const MOVES = 'subscription ($after: String) { shipMoved(after: $after) { cursor node { name crew } } }';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ heartbeatMs: 50 });
  harbour.sea.tokens.set('robin', ROBIN);
});
afterAll(() => harbour.stop());

const running = () => harbour.sea.running;

/** One request about a stream. */
function request(method: string, stream: string | undefined, options: AnyShape = {}): Promise<Response> {
  const { url = harbour.url, token = ADMIN_TOKEN, body, search = '', headers = {}, signal } = options;
  return fetch(`${url}/graphql${search}`, {
    method,
    headers: {
      ...bearer(token),
      ...(stream === undefined ? {} : { 'x-graphql-event-stream-token': stream }),
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    ...(signal ? { signal } : {}),
  });
}

async function reserve(options: AnyShape = {}): Promise<string> {
  const answer = await request('PUT', undefined, options);
  expect(answer.status).toBe(201);
  return await answer.text();
}

/** A reserved stream that is open, and what came on it. */
async function opened(stream: string, options: AnyShape = {}) {
  const leaving = new AbortController();
  const headers = { accept: 'text/event-stream' };
  const response = await request('GET', stream, { ...options, headers, signal: leaving.signal });
  const read = { events: [] as AnyShape[], ended: false, response, leave: () => leaving.abort() };
  void (async () => {
    for await (const { event, data } of serverSentEvents(response.body as never, 10_000_000)) {
      if (event) read.events.push({ event, ...JSON.parse(data ?? '{}') });
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      read.ended = true;
    });
  return read;
}

function run(stream: string, operationId: string | undefined, query: string, options: AnyShape = {}) {
  const extensions = operationId === undefined ? {} : { operationId };
  return request('POST', stream, { ...options, body: { query, extensions } });
}

test('a stock graphql-sse client runs many operations on one connection', async () => {
  const client = createClient({
    singleConnection: true,
    lazy: true,
    url: `${harbour.url}/graphql`,
    headers: bearer(ADMIN_TOKEN),
  });
  const told: AnyShape[] = [];
  const stop = client.subscribe(
    { query: MOVES },
    { next: ({ data }) => told.push(data), error: fail, complete: () => undefined },
  );
  await until(() => running() === 1);
  const ask = (query: string) =>
    new Promise<AnyShape>((resolve, reject) => {
      let answer: AnyShape;
      const next = (given: AnyShape) => {
        answer = given;
      };
      client.subscribe({ query }, { next, error: reject, complete: () => resolve(answer) });
    });
  expect(await ask('{ crews }')).toEqual({ data: { crews: 1 } });
  expect(await ask('mutation { sail(to: "Colchis") }')).toEqual({ data: { sail: 'sailing to Colchis' } });
  harbour.sea.move();
  await until(() => told.length === 1);
  expect(told[0]).toMatchObject({ shipMoved: { node: { name: 'Argo', crew: 50 } } });
  stop();
  await until(() => running() === 0);
  client.dispose();
});

function fail(error: unknown): never {
  throw error;
}

test('an operation may be asked for before the stream is opened; DELETE ends it without a word', async () => {
  const stream = await reserve();
  expect((await run(stream, 'one', MOVES)).status).toBe(202);
  expect((await run(stream, 'two', '{ crews }')).status).toBe(202);
  await until(() => running() === 1);
  harbour.sea.move();
  const { events, leave } = await opened(stream);
  await until(() => events.length === 3);
  expect(events).toContainEqual({ event: 'next', id: 'two', payload: { data: { crews: 1 } } });
  expect(events).toContainEqual({ event: 'complete', id: 'two' });
  expect(events.find(({ id }) => id === 'one').payload.data.shipMoved.node.name).toBe('Argo');
  expect((await request('DELETE', stream, { search: '?operationId=one' })).status).toBe(200);
  await until(() => running() === 0);
  expect((await run(stream, 'one', '{ crews }')).status).toBe(202);
  await until(() => events.some(({ event, id }) => event === 'complete' && id === 'one'));
  leave();
});

test('a stream is its caller’s alone, and is opened once', async () => {
  const stream = await reserve();
  const accept = { accept: 'text/event-stream' };
  for (const [method, headers] of [
    ['GET', accept],
    ['POST', {}],
    ['DELETE', {}],
  ] as const) {
    const body = method === 'POST' ? { body: { query: '{ crews }', extensions: { operationId: '1' } } } : {};
    const foreign = await request(method, stream, { token: 'robin', headers, ...body });
    expect([method, foreign.status]).toEqual([method, 404]);
    const unknown = await request(method, 'no-such-stream', { headers, ...body });
    expect([method, unknown.status]).toEqual([method, 404]);
  }
  expect((await request('PUT', undefined, { token: 'nobody' })).status).toBe(401);
  const { response, leave } = await opened(stream);
  expect(response.status).toBe(200);
  expect((await request('GET', stream, { headers: accept })).status).toBe(409);
  leave();
  await until(async () => (await run(stream, '1', '{ crews }')).status === 404);
});

test('what cannot run is refused where it was asked; ids are there, and once', async () => {
  const stream = await reserve();
  const { events, leave } = await opened(stream);
  expect((await run(stream, undefined, MOVES)).status).toBe(400);
  expect((await run(stream, 'x'.repeat(300), MOVES)).status).toBe(400);
  const refused = await run(stream, 'wrong', '{ nothing }');
  expect([refused.status, ((await refused.json()) as AnyShape).errors[0].extensions.code]).toEqual([400, 'BAD_QUERY']);
  expect((await run(stream, 'one', MOVES)).status).toBe(202);
  expect((await run(stream, 'one', MOVES)).status).toBe(409);
  expect((await request('DELETE', undefined)).status).toBe(404);
  expect((await request('PATCH', stream)).status).toBe(405);
  expect(events).toEqual([]);
  leave();
  await until(() => running() === 0);
});

test('a revoked token ends its operations with UNAUTHENTICATED, and then the stream', async () => {
  const stream = await reserve({ token: 'robin' });
  const reading = await opened(stream, { token: 'robin' });
  await run(stream, 'one', MOVES, { token: 'robin' });
  await until(() => running() === 1);
  harbour.sea.tokens.delete('robin');
  await until(() => reading.ended);
  expect(reading.events[0]).toMatchObject({ event: 'next', id: 'one' });
  expect(reading.events[0].payload.errors[0].extensions.code).toBe('UNAUTHENTICATED');
  await until(() => running() === 0);
  harbour.sea.tokens.set('robin', ROBIN);
});

test('a router that stops ends the stream without a word for its operations', async () => {
  const leaving: ServedRouter = await harbour.another();
  const stream = await reserve({ url: leaving.url });
  const reading = await opened(stream, { url: leaving.url });
  await run(stream, 'one', MOVES, { url: leaving.url });
  await until(() => running() === 1);
  await leaving.stop();
  await until(() => reading.ended);
  expect(reading.events).toEqual([]);
  await until(() => running() === 0);
});

test('reservations are few for each caller and in all, and forgotten when nobody opens them', async () => {
  const streams = new Reservations({ ...RESERVATION_LIMITS, perCaller: 2, all: 3, unopenedMs: 50 } as never);
  const owners = ['a', 'a', 'b'].map((id) => streams.make({ ...ROBIN, id }));
  expect(() => streams.make({ ...ROBIN, id: 'a' })).toThrow('at most 2 streams');
  expect(() => streams.make({ ...ROBIN, id: 'c' })).toThrow('at most 3 streams');
  owners[0]?.close();
  streams.make({ ...ROBIN, id: 'a' });
  const [, mine] = owners as [unknown, ReturnType<Reservations['make']>];
  await until(() => !streams.find(mine.token, mine.principal));
  expect(await mine.opened).toBeUndefined();
});
