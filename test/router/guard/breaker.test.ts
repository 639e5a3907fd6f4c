import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { SharedCalls } from '../../../router/execute/shared-calls.ts';
import { GUARD_LIMITS, type Guard } from '../../../router/guard/guard.ts';
import { until } from '../../support/until.ts';
import { ask, CALL, codeOf, guardOver, type Island, json, openIsland, SILENT, WELL } from './support.ts';

let island: Island;
let elsewhere: Island;
let guard: Guard;

beforeEach(async () => {
  island = await openIsland();
  elsewhere = await openIsland();
});
afterEach(async () => {
  guard.close();
  await island.stop();
  await elsewhere.stop();
});

const circuit = () => guard.circuits.get('sea') as NonNullable<ReturnType<Guard['circuits']['get']>>;

const JSON_TYPE = { 'content-type': 'application/json' };
const MEGABYTE = Buffer.alloc(1_000_000, ' ');

/** Writes a piece again and again, each time the one before is gone, until nobody takes it any more. */
function pour(response: ServerResponse, piece: Buffer, everyMs = 0): void {
  if (!response.destroyed) response.write(piece, () => setTimeout(pour, everyMs, response, piece, everyMs));
}

test.each<[string, Island['answer'], string]>([
  [
    'of no content type',
    (response) => response.writeHead(200).end('{"data":{}}'),
    'its answer is of another content type than JSON',
  ],
  [
    'of another content type',
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{"data":{}}'),
    'its answer is of another content type than JSON',
  ],
  [
    'with over a hundred errors',
    json({ data: null, errors: Array(101).fill({ message: 'x' }) }),
    'its answer has over 100 errors',
  ],
  [
    'whose errors have paths that are none',
    json({ data: null, errors: [{ message: 'x', path: ['a', [1]] }] }),
    'its errors are no list of errors',
  ],
  [
    'whose errors have extensions that are none',
    json({ data: null, errors: [{ message: 'x', extensions: 'NOT_FOUND' }] }),
    'its errors are no list of errors',
  ],
  [
    'that is half a JSON',
    (response) => response.writeHead(200, JSON_TYPE).end('{"data":{"a":1}'),
    'its answer is no JSON',
  ],
  [
    'that is packed, which nobody asked for',
    (response) =>
      response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' }).end(gzipSync('{"data":{"a":1}}')),
    'its answer is no JSON',
  ],
  [
    'of over ten megabytes, with its length',
    (response) =>
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '10000001' }).end(Buffer.alloc(10_000_001, ' ')),
    'its answer is too large',
  ],
  [
    'without an end and without a length',
    (response) => pour(response.writeHead(200, JSON_TYPE), MEGABYTE),
    'its answer is too large',
  ],
  [
    'that ends before its length',
    (response) =>
      response
        .writeHead(200, { ...JSON_TYPE, 'content-length': '17' })
        .write('{"data":{', () => response.socket?.destroy()),
    'the connection was closed before the answer was whole',
  ],
  [
    'that ends before its last chunk',
    (response) => response.writeHead(200, JSON_TYPE).write('{"data":{"a":1}}', () => response.socket?.destroy()),
    'the connection was closed before the answer was whole',
  ],
  ['that is no HTTP', (response) => response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n\r\n'), 'its head is malformed'],
])('an answer %s is malformed, and is let go of', async (_, answer, reason) => {
  island.answer = answer;
  guard = guardOver([island], { retry: { ...GUARD_LIMITS.retry, percent: 0 } });
  for (let time = 0; time < 5; time++) expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  expect([circuit().state.phase, circuit().state.reason]).toEqual(['OPEN', reason]);
  guard.close();
  await until(() => island.connections === 0);
});

test.each<[string, Island['answer']]>([
  ['comes byte by byte', (response) => pour(response.writeHead(200, JSON_TYPE), Buffer.from(' '), 5)],
  ['never comes', SILENT],
  ['has a head without an end', (response) => response.socket?.write('HTTP/1.1 200 OK\r\nx-a: ')],
])('an answer that %s is cut at the time limit', async (_, answer) => {
  island.answer = answer;
  guard = guardOver([island], { timeoutMs: 100 });
  for (let time = 0; time < 5; time++) expect(await codeOf(ask(guard))).toBe('TIMEOUT');
  expect([circuit().state.phase, circuit().state.reason]).toEqual(['OPEN', 'time-out']);
  await until(() => island.connections === 0);
});

test.each(['application/json', 'application/graphql-response+json; charset=utf-8', 'Application/JSON'])(
  'an answer of type %s is taken, with a hundred errors too',
  async (type) => {
    island.answer = (response) => {
      response.writeHead(200, { 'content-type': type });
      response.end(JSON.stringify({ data: { a: 1 }, errors: Array(100).fill({ message: 'x' }) }));
    };
    guard = guardOver([island]);
    expect((await ask(guard)).data).toEqual({ a: 1 });
  },
);

test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  island.answer = (response) => response.writeHead(status, { location: elsewhere.url }).end();
  guard = guardOver([island]);
  expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  expect([island.received, elsewhere.received]).toEqual([1, 0]);
  const stream = guard.subscribe('sea', { query: 'subscription { a }' }, CALL, new AbortController().signal);
  await expect(stream.next()).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  expect([island.received, elsewhere.received]).toEqual([2, 0]);
});

test('of a thousand callers who wait for a broken subgraph exactly one goes to see, and all the others are refused', async () => {
  island.answer = json({}, 500);
  guard = guardOver([island], { breaker: { ...GUARD_LIMITS.breaker, restMs: 20, maxRestMs: 20 } });
  for (let time = 0; time < 5; time++) await codeOf(ask(guard));
  island.answer = SILENT;
  island.received = 0;
  await until(() => circuit().replicas[0]?.isProbeDue(Date.now()));
  let answerProbe: () => void = () => undefined;
  island.answer = (response, request) => {
    answerProbe = () => WELL(response, request);
  };
  const asked = Array.from({ length: 1_000 }, () => codeOf(ask(guard)));
  await until(() => island.received > 0);
  expect(circuit().state.phase).toBe('HALF_OPEN');
  answerProbe();
  const codes = await Promise.all(asked);
  expect(island.received).toBe(1);
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(codes.filter((code) => code === 'SUBGRAPH_UNAVAILABLE')).toHaveLength(999);
  expect(circuit().history.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'CLOSED OPEN',
    'OPEN HALF_OPEN',
    'HALF_OPEN CLOSED',
  ]);
});

test('equal queries of many are sent once, and their common failure counts for all of them', async () => {
  island.answer = json({}, 500);
  guard = guardOver([island]);
  const shared = new SharedCalls(guard, () => true);
  const asked = Array.from({ length: 60 }, () => codeOf(shared.execute('sea', { query: '{ a }' }, CALL)));
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['SUBGRAPH_UNAVAILABLE']));
  expect([island.received, circuit().state.phase]).toEqual([1, 'OPEN']);
});

test('a probe from before somebody decided says nothing of what came after', async () => {
  island.answer = json({}, 500);
  guard = guardOver([island], { breaker: { ...GUARD_LIMITS.breaker, restMs: 10, maxRestMs: 10_000 } });
  for (let time = 0; time < 5; time++) await codeOf(ask(guard));
  await until(() => circuit().replicas[0]?.isProbeDue(Date.now()));
  let answerProbe: () => void = () => undefined;
  island.received = 0;
  island.answer = (response, request) => {
    answerProbe = () => WELL(response, request);
  };
  const probe = codeOf(ask(guard));
  await until(() => island.received === 1);
  circuit().force('AUTO', 'mended');
  circuit().hear('OPEN', 'it is not');
  answerProbe();
  expect([await probe, circuit().state.phase]).toEqual(['ok', 'OPEN']);
});

test('its history is bounded, the newest last', async () => {
  guard = guardOver([island]);
  for (let time = 0; time < 150; time++) circuit().force(time % 2 ? 'AUTO' : 'OPEN', `reason ${time}`);
  const { history } = circuit();
  expect(history).toHaveLength(100);
  expect(history.at(-1)).toMatchObject({ from: 'OPEN', to: 'CLOSED', reason: 'reason 149', forced: true });
});

test('what another router found is believed, unless somebody decided here', async () => {
  guard = guardOver([island]);
  circuit().hear('OPEN', 'time-out');
  expect(await codeOf(ask(guard))).toBe('SUBGRAPH_UNAVAILABLE');
  expect(circuit().history.at(-1)).toMatchObject({ to: 'OPEN', reason: 'time-out', told: true, forced: false });
  circuit().hear('CLOSED', 'it is back');
  expect(await codeOf(ask(guard))).toBe('ok');
  circuit().force('CLOSED', 'we know');
  circuit().hear('OPEN', 'time-out');
  expect(await codeOf(ask(guard))).toBe('ok');
});
