import WebSocket from 'ws';
import { until } from '../../support/until.ts';
import { openReady } from './stream-clients.ts';
import { type Harbour, openHarbour } from './support.ts';

const MOVES = 'subscription { shipMoved { cursor } }';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

/** What a socket was closed with after one message. */
async function codeAfter(message: string | Buffer): Promise<number> {
  const { socket } = await openReady(harbour.router);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.send(message);
  return await closed;
}

test.each([
  ['no JSON', 'nonsense'],
  ['nothing', ''],
  ['a frame of bytes', Buffer.from([0xff, 0xfe, 0])],
  ['null', 'null'],
  ['a list', '[]'],
  ['no type', '{}'],
  ['a type that there is not', '{"type":"hello"}'],
  ['an answer of ours', '{"id":"1","type":"next","payload":{}}'],
  ['an acknowledgement of ours', '{"type":"connection_ack"}'],
  ['a subscription without an id', '{"type":"subscribe","payload":{"query":"{ crews }"}}'],
  ['a query that is no text', '{"id":"1","type":"subscribe","payload":{"query":1}}'],
  ['variables that are none', '{"id":"1","type":"subscribe","payload":{"query":"{ crews }","variables":"x"}}'],
])('%s closes with 4400', async (_, message) => {
  expect(await codeAfter(message)).toBe(4400);
});

test.each(['__proto__', 'constructor', 'x'.repeat(10_000)])('an id is a text like any other: %.20s', async (id) => {
  const { socket, messages } = await openReady(harbour.router);
  socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: MOVES } }));
  await until(() => harbour.sea.running === 1);
  harbour.sea.move();
  await until(() => messages.some((message) => message.type === 'next' && message.id === id));
  socket.send(JSON.stringify({ id, type: 'complete' }));
  await until(() => harbour.sea.running === 0);
  socket.close();
});

test('who asks and reads nothing is read no more until he does; then nothing is missing', async () => {
  const { socket, messages } = await openReady(harbour.router);
  const pausing = jest.spyOn(WebSocket.prototype, 'pause');
  const count = 1_500;
  socket.pause();
  for (let at = 0; at < count; at += 1) {
    socket.send(JSON.stringify({ type: 'ping', payload: { at, filler: 'x'.repeat(10_000) } }));
  }
  // The router’s end of it, beside ours.
  await until(() => pausing.mock.calls.length > 1);
  socket.resume();
  await until(() => messages.filter(({ type }) => type === 'pong').length === count);
  socket.close();
});

test('ten thousand subscriptions on a socket: a thousand run, the others are told when to come again, and all end', async () => {
  const { socket, messages } = await openReady(harbour.router);
  for (let at = 0; at < 10_000; at += 1) {
    socket.send(JSON.stringify({ id: `s${at}`, type: 'subscribe', payload: { query: MOVES } }));
  }
  await until(() => messages.filter(({ type }) => type === 'error').length === 9_000, 60_000);
  const refused = messages.find(({ type }) => type === 'error');
  expect(refused.payload[0].extensions).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 1_000 });
  await until(() => harbour.sea.running === 1);
  socket.close();
  await until(() => harbour.sea.running === 0);
});
