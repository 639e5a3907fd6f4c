import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FastPath } from '../../../router/http/fast-path/fast-path.ts';
import type { FastReply } from '../../../router/http/fast-path/fast-reply.ts';
import type { FastRequest } from '../../../router/http/fast-path/fast-request.ts';
import { readHead } from '../../../router/http/fast-path/request-head.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, type Harbour, openHarbour, SHIP } from './support.ts';

const LINE = 'POST /graphql HTTP/1.1';
const ORDINARY = [LINE, 'Host: 127.0.0.1:4000', 'content-length: 2', 'Content-Type: application/json'];

test('an ordinary head is read: names in small letters, values without the space around them', () => {
  expect(readHead([...ORDINARY, 'X-Cost:\t 1 '].join('\r\n'))).toEqual({
    headers: { host: '127.0.0.1:4000', 'content-length': '2', 'content-type': 'application/json', 'x-cost': '1' },
    contentLength: 2,
  });
});

test.each<[string, string[]]>([
  ['a header twice', [...ORDINARY, 'x-a: 1', 'X-A: 2']],
  ['two equal lengths', [...ORDINARY, 'content-length: 2']],
  ['no length', [LINE, 'host: a']],
  ['a length with a sign', [LINE, 'host: a', 'content-length: +2']],
  ['a length with a zero before it', [LINE, 'host: a', 'content-length: 02']],
  ['two lengths in one header', [LINE, 'host: a', 'content-length: 2, 2']],
  ['a length beyond all measure', [LINE, 'host: a', 'content-length: 99999999999']],
  ['no host', [LINE, 'content-length: 2']],
  ['an empty host', [LINE, 'host: ', 'content-length: 2']],
  ['pieces', [...ORDINARY, 'Transfer-Encoding: chunked']],
  ['an empty transfer encoding', [...ORDINARY, 'transfer-encoding:']],
  ['a packed body', [...ORDINARY, 'content-encoding: gzip']],
  ['a wait for 100', [...ORDINARY, 'expect: 100-continue']],
  ['an upgrade', [...ORDINARY, 'upgrade: websocket']],
  ['a connection that is to end', [...ORDINARY, 'connection: close']],
  ['headers named by the connection', [...ORDINARY, 'connection: keep-alive, x-a']],
  ['a page of another origin', [...ORDINARY, 'origin: http://evil.example']],
  ['a stream', [...ORDINARY, 'accept: application/json, Text/Event-Stream']],
  ['a reserved stream', [...ORDINARY, 'x-graphql-event-stream-token: a']],
  ['a space before the colon', [...ORDINARY, 'x-a : 1']],
  ['a folded line', [...ORDINARY, 'x-a: 1', ' 2']],
  ['a bare line feed', [...ORDINARY, 'x-a: 1\nx-b: 2']],
  ['a bare carriage return', [...ORDINARY, 'x-a: 1\rx-b: 2']],
  ['NUL', [...ORDINARY, 'x-a: \u0000']],
  ['what is no ASCII', [...ORDINARY, 'x-a: \u00e9']],
  ['a name without a value', [...ORDINARY, 'x-a']],
  ['a nameless value', [...ORDINARY, ': 1']],
  ['very many headers', [...ORDINARY, ...Array.from({ length: 100 }, (_, at) => `x-${at}: 1`)]],
  ['another version', ['POST /graphql HTTP/1.0', ...ORDINARY.slice(1)]],
  ['another method', ['GET /graphql HTTP/1.1', ...ORDINARY.slice(1)]],
  ['another path', ['POST /graphql/ HTTP/1.1', ...ORDINARY.slice(1)]],
  ['a query string', ['POST /graphql?a HTTP/1.1', ...ORDINARY.slice(1)]],
  ['a whole address', ['POST http://a/graphql HTTP/1.1', ...ORDINARY.slice(1)]],
])('%s is for node to judge', (_, lines) => {
  expect(readHead(lines.join('\r\n'))).toBeUndefined();
});

describe('a connection', () => {
  let server: Server;
  let path: FastPath;
  let asked: { request: FastRequest; reply: FastReply }[];
  let handed: string[];
  let done: FastReply[];
  let sockets: Socket[];

  beforeEach(async () => {
    [asked, handed, done, sockets] = [[], [], [], []];
    path = new FastPath({
      limits: { headersMs: 60_000, requestMs: 60_000, keepAliveMs: 60_000, idleMs: 60_000 },
      maxBodyBytes: 100_000,
      nowMs: () => 0,
      answer: (request, reply) => asked.push({ request, reply }),
      onDone: (reply) => done.push(reply),
      onward: (socket) => socket.on('data', (bytes) => handed.push(bytes.toString('latin1'))),
    });
    server = createServer((socket) => path.accept(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    path.cut();
    await new Promise((resolve) => server.close(resolve));
  });

  function open(): { socket: Socket; text: () => string } {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.setNoDelay(true);
    sockets.push(socket);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('utf8');
    });
    socket.on('error', () => undefined);
    return { socket, text: () => text };
  }
  const question = (body: string, ...headers: string[]) =>
    `${[LINE, 'host: a', `content-length: ${Buffer.byteLength(body)}`, ...headers].join('\r\n')}\r\n\r\n${body}`;
  const bodies = () => asked.map(({ request }) => request.body.toString());

  test('takes a body in pieces, and answers with its own headers and the length', async () => {
    const { socket, text } = open();
    const whole = Buffer.from(question('{"a":"é"}'));
    socket.write(whole.subarray(0, whole.length - 4));
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    socket.write(whole.subarray(whole.length - 4));
    await until(() => asked.length === 1);
    expect(bodies()).toEqual(['{"a":"é"}']);
    asked[0]?.reply.sendWhole(200, '{"é":1}', ['content-type', 'application/json']);
    await until(() => text().endsWith('{"é":1}'));
    expect(text()).toBe(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=60\r\ncontent-length: 8\r\n\r\n{"é":1}',
    );
    expect(done).toHaveLength(1);
  });

  test('answers what is sent at once one after the other, in order', async () => {
    const { socket, text } = open();
    socket.write(question('1') + question('2') + question('3'));
    for (const body of ['1', '2', '3']) {
      await until(() => bodies().at(-1) === body);
      expect(asked).toHaveLength(Number(body));
      asked.at(-1)?.reply.sendWhole(200, body, []);
    }
    await until(() => text().split('\r\n\r\n').length === 4);
    expect(text().match(/\r\n\r\n\d/g)).toEqual(['\r\n\r\n1', '\r\n\r\n2', '\r\n\r\n3']);
  });

  test('is handed over whole with the first request that is not ordinary, behind answered ones and for good', async () => {
    const { socket, text } = open();
    const other = 'GET /health HTTP/1.1\r\nhost: a\r\n\r\n';
    socket.write(question('1') + other);
    await until(() => asked.length === 1);
    asked[0]?.reply.sendWhole(200, 'one', []);
    await until(() => handed.length === 1);
    expect(handed).toEqual([other]);
    expect(text().endsWith('one')).toBe(true);
    socket.write(question('2'));
    await until(() => handed.length === 2);
    expect(handed[1]).toBe(question('2'));
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['a head that is not whole', 'POST /graphql HTTP/1.1\r\nhost: a\r\n'],
    ['a head beyond 8 kB', question('1', `x-a: ${'a'.repeat(9_000)}`)],
    ['a body beyond the limit', question('a'.repeat(100_001))],
  ])('hands %s over', async (_, text) => {
    const { socket } = open();
    socket.write(text);
    await until(() => handed.join('').length === text.length);
    expect(handed.join('')).toBe(text);
    expect(asked).toHaveLength(0);
  });

  test('tells whoever works on a request that its caller has left', async () => {
    const { socket } = open();
    socket.write(question('1'));
    await until(() => asked.length === 1);
    const reply = asked[0]?.reply as FastReply;
    socket.destroy();
    await until(() => reply.caller.aborted);
    expect(reply.destroyed).toBe(true);
    expect(done).toEqual([reply]);
  });

  test('answers no more to one that does not read what it was answered', async () => {
    const { socket, text } = open();
    socket.pause();
    socket.write(question('1') + question('2'));
    await until(() => asked.length === 1);
    const answer = 'a'.repeat(20_000_000);
    asked[0]?.reply.sendWhole(200, answer, []);
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(1);
    socket.resume();
    await until(() => asked.length === 2 && text().endsWith(answer));
  });

  test('that drains ends those that are idle at once, and the others with their answer', async () => {
    const [idle, busy] = [open(), open()];
    const ended = new Set<Socket>();
    for (const { socket } of [idle, busy]) socket.on('close', () => ended.add(socket));
    for (const { socket } of [idle, busy]) socket.write(question('1'));
    await until(() => asked.length === 2);
    const byPort = (socket: Socket) => asked.find(({ request }) => request.socket.remotePort === socket.localPort);
    byPort(idle.socket)?.reply.sendWhole(200, 'one', []);
    await until(() => idle.text().endsWith('one'));
    path.drain();
    await until(() => ended.has(idle.socket));
    expect(ended.has(busy.socket)).toBe(false);
    byPort(busy.socket)?.reply.sendWhole(200, 'last', []);
    await until(() => ended.has(busy.socket));
    expect(busy.text()).toContain('connection: close');
    expect(busy.text().endsWith('last')).toBe(true);
  });

  test('refuses a header that would end its line', async () => {
    const { socket } = open();
    socket.write(question('1'));
    await until(() => asked.length === 1);
    expect(() => asked[0]?.reply.sendWhole(200, '', ['x-a', 'b\r\nset-cookie: c'])).toThrow(TypeError);
  });
});

describe('both ways', () => {
  let harbour: Harbour;
  beforeAll(async () => {
    harbour = await openHarbour();
  });
  afterAll(() => harbour.stop());

  const TYPE = 'content-type: application/json';
  const AUTHORIZED = `authorization: Bearer ${ADMIN_TOKEN}`;
  const ship = JSON.stringify({ query: `{ ship(id: "${SHIP}") { id name crew } }` });

  async function told(body: string | Buffer, headers: string[], { host = '127.0.0.1' } = {}): Promise<string> {
    const socket = connect(Number(new URL(harbour.url).port), '127.0.0.1');
    const head = [LINE, `host: ${host}`, `content-length: ${Buffer.byteLength(body)}`, ...headers].join('\r\n');
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), Buffer.from(body)]));
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('utf8');
    });
    await until(() => {
      const [, length] = /content-length: (\d+)/i.exec(text) ?? [];
      const body = text.indexOf('\r\n\r\n') + 4;
      return length !== undefined && Buffer.byteLength(text.slice(body)) >= Number(length);
    });
    socket.destroy();
    return comparable(text);
  }

  /** Without what is another each time; headers in one order. */
  function comparable(text: string): string {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const [status, ...lines] = head.split('\r\n');
    const known = lines
      .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()))
      .filter((line) => !/^(date|x-request-id|server-timing|ratelimit):/.test(line));
    const plain = body.replace(/"(requestId|traceId|retryAfterMs)":("[^"]*"|\d+)/g, '"$1":0');
    return [status, ...known.sort(), plain].join('\n');
  }

  test.each<[string, string | Buffer, string[]]>([
    ['a question', ship, [TYPE, AUTHORIZED]],
    ['a question for the other type', ship, [TYPE, AUTHORIZED, 'accept: application/graphql-response+json']],
    ['its cost', ship, [TYPE, AUTHORIZED, 'x-cost: 1']],
    ['a mutation', JSON.stringify({ query: 'mutation { sail(to: "Colchis") }' }), [TYPE, AUTHORIZED]],
    ['a subscription', JSON.stringify({ query: 'subscription { shipMoved { cursor } }' }), [TYPE, AUTHORIZED]],
    ['a fault of a subgraph', JSON.stringify({ query: '{ broken }' }), [TYPE, AUTHORIZED]],
    ['a field that is none', JSON.stringify({ query: '{ boat }' }), [TYPE, AUTHORIZED]],
    ['an unknown operation', JSON.stringify({ query: 'query A { crews }', operationName: 'B' }), [TYPE, AUTHORIZED]],
    ['nobody', ship, [TYPE]],
    ['a wrong token', ship, [TYPE, 'authorization: Bearer nobody-of-ours-nobody']],
    ['another type', ship, ['content-type: text/plain', AUTHORIZED]],
    ['nothing it takes', ship, [TYPE, AUTHORIZED, 'accept: image/png']],
    ['no JSON', '{', [TYPE, AUTHORIZED]],
    ['no body', '', [TYPE, AUTHORIZED]],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), [TYPE, AUTHORIZED]],
    ['a batch', `[${ship},${ship}]`, [TYPE, AUTHORIZED]],
    ['a time that is none', ship, [TYPE, AUTHORIZED, 'x-timeout-ms: soon']],
    ['a key that is none', ship, [TYPE, AUTHORIZED, `idempotency-key: ${'k'.repeat(256)}`]],
  ])('%s is told the same', async (_, body, headers) => {
    const byNode = await told(body, [...headers, 'te: trailers']);
    expect(await told(body, headers)).toBe(byNode);
  });

  test('another name than its own is refused the same', async () => {
    const strange = { host: 'evil.example' };
    const byNode = await told(ship, [TYPE, AUTHORIZED, 'te: trailers'], strange);
    expect(byNode).toContain('421');
    expect(await told(ship, [TYPE, AUTHORIZED], strange)).toBe(byNode);
  });
});
