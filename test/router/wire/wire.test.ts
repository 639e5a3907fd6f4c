import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { Presence } from '../../../router/leave-signal.ts';
import { Left, TimedOut, TooLarge } from '../../../router/wire/exchange.ts';
import { plainWire, type Wire, type WireRequest } from '../../../router/wire/wire.ts';
import { until } from '../../support/until.ts';
import { CALL } from '../guard/support.ts';

/** A peer that says what the test tells it, byte by byte. */
class Peer {
  readonly sockets: Socket[] = [];
  readonly received: string[] = [];
  onRequest: (socket: Socket, text: string) => void = () => undefined;
  #server: Server | undefined;
  url = '';

  async listen(): Promise<this> {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (piece) => {
        text += piece.toString();
        const [head = '', body] = text.split('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
        if (body === undefined || Buffer.byteLength(body) < length) return;
        this.received.push(text);
        const whole = text;
        text = '';
        this.onRequest(socket, whole);
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/graphql?a=b`;
    return this;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server?.close();
  }
}

const said = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;

const asked = (given: Partial<WireRequest> = {}): WireRequest => ({
  body: '{"query":"{ a }"}',
  call: CALL,
  timeoutMs: 10_000,
  maxBytes: 1_000,
  ...given,
});

let peer: Peer;
let wire: Wire;

beforeEach(async () => {
  peer = await new Peer().listen();
  peer.onRequest = (socket) => socket.write(said('{"data":{}}'));
  wire = plainWire(peer.url);
});

afterEach(() => {
  wire.close();
  peer.close();
});

test('a request is one piece of HTTP/1.1, with its length in bytes', async () => {
  const answer = await wire.send(asked({ body: '{"query":"{ ä }"}' }));
  expect(answer).toMatchObject({ status: 200, contentType: 'application/json' });
  expect(answer.body.toString()).toBe('{"data":{}}');
  const [text] = peer.received;
  expect(text).toMatch(/^POST \/graphql\?a=b HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/);
  expect(text).toContain('\r\ncontent-length: 18\r\n\r\n{"query":"{ ä }"}');
  expect(text).toContain('\r\nx-request-id: r1\r\n');
});

test('a connection carries one call after the other, never two at once', async () => {
  for (let time = 0; time < 3; time += 1) await wire.send(asked());
  expect(peer.sockets.length).toBe(1);
  await Promise.all([wire.send(asked()), wire.send(asked())]);
  expect(peer.sockets.length).toBe(2);
});

test('beyond its connections a call waits for one, and may leave while it waits', async () => {
  peer.onRequest = () => undefined;
  const held = Array.from({ length: 128 }, () => wire.send(asked()));
  await until(() => peer.received.length === 128);
  const presence = new Presence();
  const left = wire.send(asked({ signal: presence }));
  const waiting = wire.send(asked());
  presence.leave();
  await expect(left).rejects.toBeInstanceOf(Left);
  peer.onRequest = (socket) => socket.write(said('{"data":{"late":true}}'));
  for (const socket of peer.sockets) socket.write(said('{"data":{}}'));
  await Promise.all(held);
  expect((await waiting).body.toString()).toBe('{"data":{"late":true}}');
  expect(peer.sockets.length).toBe(128);
  expect(peer.received.length).toBe(129);
});

test('who is late, too large or no longer wanted loses its connection, for its answer may still come', async () => {
  peer.onRequest = () => undefined;
  await expect(wire.send(asked({ timeoutMs: 20 }))).rejects.toBeInstanceOf(TimedOut);
  // On a slow machine it was late before it was sent.
  const before = peer.received.length;
  const presence = new Presence();
  const left = wire.send(asked({ signal: presence }));
  await until(() => peer.received.length === before + 1);
  presence.leave();
  await expect(left).rejects.toBeInstanceOf(Left);
  peer.onRequest = (socket) => socket.write(said('x'.repeat(1_001)));
  await expect(wire.send(asked())).rejects.toBeInstanceOf(TooLarge);
  await until(() => peer.sockets.length >= before + 2 && peer.sockets.every(({ destroyed }) => destroyed));
});

test('nothing is sent for a caller who has left before, and nothing is left behind that could fire later', async () => {
  const presence = new Presence();
  presence.leave();
  const gone = asked({ signal: presence, timeoutMs: 1 });
  await expect(wire.send(gone)).rejects.toBeInstanceOf(Left);
  await expect(wire.open(gone)).rejects.toBeInstanceOf(Left);
  // A timer of theirs would have fired by now, and thrown where nobody catches.
  await expect(wire.send(asked({ timeoutMs: 10_000 }))).resolves.toMatchObject({ status: 200 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(peer.received.length).toBe(1);
});

test('an answer nobody asked for ends the connection, and is never the next call’s', async () => {
  peer.onRequest = (socket) => socket.write(`${said('{"data":{"mine":1}}')}${said('{"data":{"forged":1}}')}`);
  // What came after the end is malformed: whether this call still has its answer is decided first.
  expect((await wire.send(asked())).body.toString()).toBe('{"data":{"mine":1}}');
  await until(() => peer.sockets[0]?.destroyed);
  peer.onRequest = (socket) => socket.write(said('{"data":{"next":1}}'));
  expect((await wire.send(asked())).body.toString()).toBe('{"data":{"next":1}}');
  expect(peer.sockets.length).toBe(2);
});

test('nor is it the answer of a call that waited for the connection', async () => {
  peer.onRequest = () => undefined;
  const held = Array.from({ length: 128 }, () => wire.send(asked()));
  await until(() => peer.received.length === 128);
  const waiting = wire.send(asked());
  peer.onRequest = (socket) => socket.write(said('{"data":{"next":1}}'));
  peer.sockets[0]?.write(`${said('{"data":{}}')}${said('{"data":{"forged":1}}')}`);
  expect((await waiting).body.toString()).toBe('{"data":{"next":1}}');
  expect(peer.sockets.length).toBe(129);
  for (const socket of peer.sockets) socket.write(said('{"data":{}}'));
  await Promise.all(held);
});

test('a peer that says it closes is not used again; one that closes is noticed', async () => {
  peer.onRequest = (socket) => socket.end(said('{"data":{}}', 'connection: close\r\n'));
  await wire.send(asked());
  peer.onRequest = (socket) => socket.end(said('{"data":{}}'));
  await wire.send(asked());
  await until(() => peer.sockets.length === 2 && peer.sockets.every(({ destroyed }) => destroyed));
  await wire.send(asked());
  expect(peer.sockets.length).toBe(3);
});

test('what is no answer is an error', async () => {
  peer.onRequest = (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort');
  await expect(wire.send(asked())).rejects.toThrow('closed before the answer was whole');
  peer.onRequest = (socket) => socket.write('nonsense\r\n\r\n');
  await expect(wire.send(asked())).rejects.toThrow('malformed');
  peer.close();
  await expect(wire.send(asked())).rejects.toThrow('ECONNREFUSED');
});

test('no header says two', async () => {
  const call = { ...CALL, lastEventId: 'a\r\nx-forged: 1' };
  await expect(wire.send(asked({ call }))).rejects.toThrow('last-event-id');
  expect(peer.received).toEqual([]);
});

test('a stream is held up when nobody reads it, and ends when its reader leaves', async () => {
  const piece = Buffer.alloc(100_000, 'x');
  let sent = 0;
  peer.onRequest = (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
    const more = () => {
      while (!socket.destroyed && socket.write(piece)) sent += piece.length;
      socket.once('drain', more);
    };
    more();
  };
  const stream = await wire.open(asked());
  expect(stream).toMatchObject({ status: 200, contentType: 'text/event-stream' });
  let lastSent = -1;
  await until(() => {
    const isStill = sent === lastSent;
    lastSent = sent;
    return isStill;
  });
  const heldAt = sent;
  let read = 0;
  for await (const chunk of stream.chunks) {
    read += chunk.length;
    if (read > heldAt + 1_000_000) break;
  }
  await until(() => peer.sockets[0]?.destroyed);
});

test('a closed wire fails what is under way, and what comes', async () => {
  peer.onRequest = () => undefined;
  const held = wire.send(asked());
  await until(() => peer.received.length === 1);
  wire.close();
  await expect(held).rejects.toThrow('closed');
  await expect(wire.send(asked())).rejects.toThrow('closed');
});

test('other ways than http and https are none', () => {
  expect(() => plainWire('ftp://127.0.0.1/graphql')).toThrow('http or https');
});
