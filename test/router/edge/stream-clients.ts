import WebSocket from 'ws';
import type { ServedRouter } from '../../../router/server.ts';
import type { AnyShape } from '../../support/house.ts';
import { until } from '../../support/until.ts';
import { ADMIN_TOKEN, bearer } from './support.ts';

/** A body posted for server-sent events, and what came back, by lines' names. */
export async function openEvents({ url }: ServedRouter, body: object, token = ADMIN_TOKEN) {
  const leaving = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(body),
    signal: leaving.signal,
  });
  const opened = { events: [] as { event: string }[], text: '', isEnded: false, stop: () => leaving.abort() };
  const read = async () => {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      opened.text += Buffer.from(chunk).toString();
      for (const [, event = ''] of Buffer.from(chunk)
        .toString()
        .matchAll(/^event: (.+)$/gm))
        opened.events.push({ event });
    }
  };
  read()
    .catch(() => undefined)
    .finally(() => {
      opened.isEnded = true;
    });
  return opened;
}

/** An acknowledged socket, and the messages that came on it. */
export async function openReady({ url }: ServedRouter, token = ADMIN_TOKEN) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: AnyShape[] = [];
  socket.on('message', (message) => messages.push(JSON.parse(String(message))));
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
  );
  await until(() => messages.some(({ type }) => type === 'connection_ack'));
  return { socket, messages };
}
