import { WebSocket } from 'ws';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

/** A socket that was greeted, and what came on it. */
async function greeted(
  at = harbour.url,
): Promise<{ socket: WebSocket; messages: string[]; code: () => number | undefined }> {
  const url = `${at.replace('http', 'ws')}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws', { headers: bearer(ADMIN_TOKEN) });
  const messages: string[] = [];
  let code: number | undefined;
  socket.on('message', (message) => messages.push(String(message)));
  socket.on('close', (told) => {
    code = told;
  });
  socket.once('open', () => socket.send('{"type":"connection_init"}'));
  await until(() => messages.length > 0);
  messages.length = 0;
  return { socket, messages, code: () => code };
}

test.each([
  ['bytes', Buffer.from('{"type":"ping"}'), {}, 4400],
  ['text that is no UTF-8', Buffer.from([0x22, 0xff, 0x22]), { binary: false }, 1007],
  ['more than a megabyte', `{"type":"ping","payload":{"a":"${'x'.repeat(1_000_000)}"}}`, {}, 1009],
  ['no JSON', '{', {}, 4400],
  ['what the protocol has no word for', '{"type":"shout"}', {}, 4400],
  ['a second greeting', '{"type":"connection_init"}', {}, 4429],
])('a socket that sends %s is closed', async (_, message, options, code) => {
  const opened = await greeted();
  opened.socket.send(message, options);
  expect(await until(opened.code)).toBe(code);
});

test('half a character in variables is refused here too, and the socket lives', async () => {
  const { socket, messages } = await greeted();
  const payload = '{"query":"{ crews }","variables":{"a":"\\ud800"}}';
  socket.send(`{"id":"1","type":"subscribe","payload":${payload}}`);
  await until(() => messages.length > 0);
  expect(messages[0]).toContain('half a character');
  socket.send('{"id":"2","type":"subscribe","payload":{"query":"{ crews }"}}');
  await until(() => messages.some((message) => message.includes('"crews":1')));
  socket.terminate();
});

test('who does not read what he is told is not listened to either, and goes on where he stopped', async () => {
  const { socket, messages } = await greeted();
  const asked = 120;
  socket.pause();
  for (let at = 0; at < asked; at++) {
    socket.send(`{"type":"ping","payload":{"at":${at},"a":"${'x'.repeat(500_000)}"}}`);
  }
  let waiting = -1;
  let quietLooks = 0;
  await until(() => {
    quietLooks = socket.bufferedAmount === waiting ? quietLooks + 1 : 0;
    waiting = socket.bufferedAmount;
    return quietLooks > 20;
  });
  // What the system's own buffers hold is little beside it.
  expect(waiting).toBeGreaterThan(asked * 250_000);
  expect((await harbour.ask('{ crews }')).data).toEqual({ crews: 1 });
  socket.resume();
  await until(() => messages.length === asked);
  expect(messages.map((message) => JSON.parse(message).payload.at)).toEqual(
    Array.from({ length: asked }, (_, at) => at),
  );
  socket.terminate();
});

test('who never reads it is cut in the end, with all that waited for him', async () => {
  const router = await harbour.another({ heartbeatMs: 50 });
  const { socket, code } = await greeted(router.url);
  socket.on('error', () => undefined);
  socket.pause();
  for (let at = 0; at < 60; at++) socket.send(`{"type":"ping","payload":{"a":"${'x'.repeat(500_000)}"}}`);
  await until(async () => {
    const { text } = await metricsOf(router.url);
    return text.includes('fleet_router_sockets 0');
  });
  socket.terminate();
  await until(code);
});

async function metricsOf(url: string) {
  const response = await fetch(`${url}/metrics`, { headers: bearer(ADMIN_TOKEN) });
  return { text: await response.text() };
}
