import { connect, type Socket } from 'node:net';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, type Harbour, openHarbour } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

/** A connection, what came back on it, and whether it is cut. */
interface Wire {
  socket: Socket;
  text: string;
  isCut: boolean;
}

function wireTo(url: string, ...lines: string[]): Wire {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const wire: Wire = { socket, text: '', isCut: false };
  socket.on('data', (chunk) => {
    wire.text += String(chunk);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    wire.isCut = true;
  });
  if (lines.length > 0) socket.write(lines.join('\r\n'));
  return wire;
}

const HOST = 'host: 127.0.0.1';
const AUTHORIZED = `authorization: Bearer ${ADMIN_TOKEN}`;
const LONGER = 100_000;
const CHUNKED = 'transfer-encoding: chunked';
const UPGRADE = [
  'connection: Upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
];

test.each([
  ['sends nothing', [], { headersMs: 200 }, ''],
  ['sends its headers without an end', ['POST /graphql HTTP/1.1', HOST, 'x-a: '], { headersMs: 200 }, '408'],
  [
    'promises a body and sends none',
    ['POST /graphql HTTP/1.1', HOST, AUTHORIZED, 'content-type: application/json', 'content-length: 20', '', '{'],
    { requestMs: 300, headersMs: 200 },
    '408',
  ],
  ['asks nothing more', ['GET /livez HTTP/1.1', HOST, '', ''], { keepAliveMs: 200 }, '200'],
  [
    'neither asks nor is answered',
    ['POST /graphql HTTP/1.1', HOST, AUTHORIZED, 'content-type: application/json', 'content-length: 20', '', '{'],
    { idleMs: 200 },
    '',
  ],
])('a connection that %s is cut', async (_, lines, limits, status) => {
  const slow = { headersMs: LONGER, requestMs: LONGER, keepAliveMs: LONGER, idleMs: LONGER };
  const { url } = await harbour.another({ limits: { port: { ...slow, ...limits } } });
  const wire = wireTo(url, ...lines);
  await until(() => wire.isCut);
  expect(wire.text.startsWith(status ? `HTTP/1.1 ${status} ` : status)).toBe(true);
});

test('a slow one byte after the other is cut all the same', async () => {
  const { url } = await harbour.another({ limits: { port: { headersMs: 300 } } });
  const wire = wireTo(url, 'GET /livez HTTP/1.1', HOST, 'x-slow: ');
  await until(() => {
    if (!wire.isCut) wire.socket.write('a');
    return wire.isCut;
  });
  expect(wire.text).toContain('408');
});

test('one connection too many is dropped; the others live, and when one leaves another may come', async () => {
  const { url } = await harbour.another({ limits: { port: { connections: 2 } } });
  const request = ['GET /livez HTTP/1.1', HOST, '', ''];
  const [first, second] = [wireTo(url, ...request), wireTo(url, ...request)];
  await until(() => first.text.includes('200') && second.text.includes('200'));
  const third = wireTo(url, ...request);
  await until(() => third.isCut);
  expect(third.text).toBe('');
  first.socket.end();
  await until(() => first.isCut);
  const next = wireTo(url, ...request);
  await until(() => next.isCut || next.text.includes('200'));
  expect(next.text).toContain('200');
  for (const wire of [second, next]) wire.socket.destroy();
});

test.each([
  ['headers without an end to their number', ['GET /livez HTTP/1.1', HOST, `x-a: ${'a'.repeat(20_000)}`, '', ''], 431],
  ['what is no HTTP', ['\u0000\u0001\u0002 nonsense', '', ''], 400],
  ['two lengths', ['POST /graphql HTTP/1.1', HOST, 'content-length: 5', 'content-length: 6', '', 'aaaaa'], 400],
  [
    'a length and pieces',
    ['POST /graphql HTTP/1.1', HOST, 'content-length: 5', 'transfer-encoding: chunked', '', '0', '', ''],
    400,
  ],
  ['a line that ends early', ['GET /livez HTTP/1.1\nhost: 127.0.0.1', 'x: a\u0000b', '', ''], 400],
  ['lines that end without a return', ['GET /livez HTTP/1.1\nhost: 127.0.0.1\n\n'], 400],
  ['a header over two lines', ['GET /livez HTTP/1.1', HOST, 'x-a: a', ' b', '', ''], 400],
  [
    'a coding with a line break',
    ['POST /graphql HTTP/1.1', HOST, 'transfer-encoding:', ' chunked', '', '0', '', ''],
    400,
  ],
  ['another coding', ['POST /graphql HTTP/1.1', HOST, 'transfer-encoding: gzip, chunked', '', '0', '', ''], 501],
  ['a length with a sign', ['POST /graphql HTTP/1.1', HOST, 'content-length: +5', '', 'aaaaa'], 400],
  ['a name with a blank', ['POST /graphql HTTP/1.1', HOST, 'content-length : 5', '', 'aaaaa'], 400],
  ['a piece without an end to its length', ['POST /graphql HTTP/1.1', HOST, CHUNKED, '', `${'f'.repeat(20)}`, ''], 400],
  ['two hosts', ['GET /livez HTTP/1.1', HOST, HOST, '', ''], 400],
  ['no host', ['GET /livez HTTP/1.1', '', ''], 400],
  ['201 headers', ['GET /livez HTTP/1.1', HOST, ...Array(200).fill('a:'), '', ''], 431],
  ['a version nobody speaks', ['GET /livez HTTP/2.0', HOST, '', ''], 505],
  ['no version', ['GET /livez', '', ''], 505],
  ['a socket by two hosts', ['GET /graphql HTTP/1.1', HOST, HOST, ...UPGRADE, '', ''], 400],
])('%s are refused and the connection closed', async (_, lines, status) => {
  const wire = wireTo(harbour.url, ...(lines as string[]));
  await until(() => wire.isCut);
  expect(wire.text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

/** Asks once under a name. @returns the status */
async function statusUnder(url: string, host: string | undefined, path = '/livez', ...headers: string[]) {
  const version = host === undefined ? 'HTTP/1.0' : 'HTTP/1.1';
  const name = host === undefined ? [] : [`host: ${host}`];
  const wire = wireTo(url, `GET ${path} ${version}`, ...name, 'connection: close', ...headers, '', '');
  await until(() => wire.text.includes('\r\n\r\n'));
  wire.socket.destroy();
  return Number(wire.text.split(' ')[1]);
}

test.each([
  ['127.0.0.1', 200],
  ['127.0.0.1:4000', 200],
  ['LOCALHOST:80', 200],
  ['[::1]:4000', 200],
  ['console.localhost', 200],
  [undefined, 200],
  ['evil.example', 421],
  ['127.0.0.1.evil.example', 421],
  ['localhost.evil.example', 421],
  ['10.0.0.1', 421],
  ['[::2]', 421],
  ['127.0.0.1:4000:5', 421],
])('on loopback the name %s is %d, for requests and sockets alike', async (host, status) => {
  // Twice, and after one that is good: what was found out of one name must not help another.
  expect(await statusUnder(harbour.url, '127.0.0.1')).toBe(200);
  expect(await statusUnder(harbour.url, host)).toBe(status);
  expect(await statusUnder(harbour.url, host)).toBe(status);
  if (host === undefined) return;
  expect(await statusUnder(harbour.url, host, '/graphql', ...UPGRADE)).toBe(status === 200 ? 101 : 421);
});

test('listed names are answered, and a star is all', async () => {
  const { url } = await harbour.another({ allowedHosts: ['Fleet.Example'] });
  expect(await statusUnder(url, 'fleet.example:443')).toBe(200);
  expect(await statusUnder(url, 'localhost')).toBe(200);
  expect(await statusUnder(url, 'evil.example')).toBe(421);
  const all = await harbour.another({ allowedHosts: ['*'] });
  expect(await statusUnder(all.url, 'evil.example')).toBe(200);
  const elsewhere = await harbour.another({ host: '0.0.0.0' });
  expect(await statusUnder(elsewhere.url, 'any.example')).toBe(200);
});

test.each([
  ['its own page', 'http://127.0.0.1', 101],
  ['a listed origin', 'https://console.example', 101],
  ['a foreign page', 'https://evil.example', 403],
  ['a page without an origin', 'null', 403],
  ['a page of another port', 'http://127.0.0.1:1', 403],
])('a socket of %s is %s: %d', async (_, origin, status) => {
  const { url } = await harbour.another({ corsOrigins: ['https://console.example'] });
  expect(await statusUnder(url, '127.0.0.1', '/graphql', ...UPGRADE, `origin: ${origin}`)).toBe(status);
});

test('the refusal of a name is coded and says what to do', async () => {
  const wire = wireTo(harbour.url, 'GET /livez HTTP/1.1', 'host: evil.example', 'connection: close', '', '');
  await until(() => wire.isCut);
  expect(wire.text).toMatch(/"code":"FORBIDDEN"/);
  expect(wire.text).toContain('ALLOWED_HOSTS');
});

test.each([
  ['another name than the header', 'http://evil.example/livez', 421],
  ['the name of the header', 'http://127.0.0.1/livez', 200],
  ['another server before the path', '//evil.example/livez', 404],
  ['a way round', '/x/../livez', 404],
  ['other letters for the same', '/live%7A', 404],
  ['more than the path', '/livez/', 404],
  ['nothing but a question', '/livez?a=b#c', 200],
])('a target of %s is %s: %d', async (_, target, status) => {
  expect(await statusUnder(harbour.url, '127.0.0.1', target, AUTHORIZED)).toBe(status);
});

const QUERY = '{"query":"{ crews }"}';
const ASKING = ['POST /graphql HTTP/1.1', HOST, AUTHORIZED, 'content-type: application/json'];
const WHOLE = [...ASKING, `content-length: ${QUERY.length}`, '', QUERY].join('\r\n');

test('requests that come together are answered in their order, one after the other', async () => {
  const wire = wireTo(harbour.url);
  wire.socket.write(WHOLE.repeat(3));
  await until(() => wire.text.split('{"data":{"crews":1}}').length === 4);
  expect(wire.text.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
  wire.socket.destroy();
});

test('what follows a refused request on its connection is never read', async () => {
  const before = harbour.sea.calls.length;
  const sail = '{"query":"mutation { sail(to: \\"x\\") }"}';
  const smuggled = [...ASKING, `content-length: ${sail.length}`, '', sail].join('\r\n');
  const wire = wireTo(harbour.url, ...ASKING, 'content-length: 4', CHUNKED, '', `0\r\n\r\n${smuggled}`);
  await until(() => wire.isCut);
  expect(wire.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  expect(harbour.sea.calls.length).toBe(before);
});

test('who offers HTTP/2 beside HTTP/1.1 is answered by HTTP/1.1, however his body comes', async () => {
  const offer = ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'];
  const wire = wireTo(harbour.url, ...ASKING, ...offer, `content-length: ${QUERY.length}`, '', QUERY.slice(0, 5));
  await new Promise(setImmediate);
  wire.socket.write(QUERY.slice(5));
  await until(() => wire.text.includes('{"data":{"crews":1}}'));
  // The connection goes on as any other.
  wire.socket.write(WHOLE);
  await until(() => wire.text.split('{"data":{"crews":1}}').length === 3);
  const last = [...ASKING, ...offer.slice(1), 'connection: close, upgrade', `content-length: ${QUERY.length}`];
  wire.socket.write([...last, '', QUERY].join('\r\n'));
  await until(() => wire.isCut);
  expect(wire.text.match(/HTTP\/1\.1 \d+/g)).toEqual(Array(3).fill('HTTP/1.1 200'));
});

test('who waits for leave to send his body gets it', async () => {
  const wire = wireTo(harbour.url, ...ASKING, 'expect: 100-continue', `content-length: ${QUERY.length}`, '', '');
  await until(() => wire.text.includes('100 Continue'));
  wire.socket.write(QUERY);
  await until(() => wire.text.includes('{"data":{"crews":1}}'));
  wire.socket.destroy();
});

test.each([
  ['what is no HTTP', ['nonsense', '', '']],
  ['headers that never end', ['GET /livez HTTP/1.1', HOST, 'x-a: ']],
  ['a body that never ends', [...ASKING, 'content-length: 900000', '', '{']],
  ['an upgrade by a foreign page', ['GET /graphql HTTP/1.1', HOST, ...UPGRADE, 'origin: https://evil.example', '', '']],
  ['an upgrade under a foreign name', ['GET /graphql HTTP/1.1', 'host: evil.example', ...UPGRADE, '', '']],
])('who is turned away for %s is let go, though he neither reads nor closes', async (_, lines) => {
  const { url } = await harbour.another({ limits: { port: { headersMs: 200, requestMs: 300 } } });
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  let isCut = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isCut = true;
  });
  socket.write(lines.join('\r\n'));
  await until(() => {
    if (!isCut) socket.write('a');
    return isCut;
  });
});
