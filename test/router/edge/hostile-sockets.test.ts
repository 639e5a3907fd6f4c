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

/** How much a socket has not got rid of, once that has stopped to change. */
async function stuckBytes(socket: { bufferedAmount: number }): Promise<number> {
  let [last, times] = [-1, 0];
  await until(() => {
    times = socket.bufferedAmount === last ? times + 1 : 0;
    last = socket.bufferedAmount;
    return times === 20;
  });
  return last;
}

test.each([
  ['pings', 'pong', (at: number) => JSON.stringify({ type: 'ping', payload: { at, filler: 'x'.repeat(10_000) } })],
  [
    'queries',
    'next',
    (at: number) =>
      JSON.stringify({ id: `q${at}`, type: 'subscribe', payload: { query: `{ crews } # ${'x'.repeat(10_000)}` } }),
  ],
])('who asks by %s and reads nothing is read no more until he does; then nothing is missing', async (_, kind, ask) => {
  const { socket, messages } = await openReady(harbour.router);
  const count = 1_500;
  socket.pause();
  for (let at = 0; at < count; at += 1) socket.send(ask(at));
  if (kind === 'pong') expect(await stuckBytes(socket)).toBeGreaterThan(5_000_000);
  socket.resume();
  await until(() => messages.filter(({ type }) => type === kind).length === count);
  expect(messages.filter(({ type }) => type === 'error')).toEqual([]);
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
