import { until } from '../../support/until.ts';
import { openEvents, openReady } from './stream-clients.ts';
import { type Harbour, openHarbour } from './support.ts';

/** Named, so that none is another's equal and each has an upstream of its own. */
const named = (name: string) => `subscription ${name} { shipMoved { cursor } }`;
const EXTENSIONS = { heartbeat: true };

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour({ heartbeatMs: 50 });
});
afterAll(() => harbour.stop());

test('who asks for heartbeats gets them as payloads with his place, by either transport; others do not', async () => {
  const asking = await openEvents(harbour.router, { query: named('Asking'), extensions: EXTENSIONS });
  const quiet = await openEvents(harbour.router, { query: named('Quiet') });
  const { socket, messages } = await openReady(harbour.router);
  socket.send(
    JSON.stringify({ id: '1', type: 'subscribe', payload: { query: named('Socket'), extensions: EXTENSIONS } }),
  );
  await until(() => harbour.sea.running === 3);
  harbour.sea.move();
  const payload = { data: null, extensions: { heartbeat: true, stale: false, cursor: 'c1' } };
  await until(() => asking.text.includes(`event: next\ndata: ${JSON.stringify(payload)}\n\n`));
  await until(() => messages.some((message) => message.payload?.extensions?.cursor === 'c1'));
  expect(messages.find((message) => message.payload?.extensions?.cursor === 'c1')).toEqual({
    id: '1',
    type: 'next',
    payload,
  });
  expect(quiet.text).not.toContain('heartbeat');
  socket.close();
  asking.stop();
  quiet.stop();
  await until(() => harbour.sea.running === 0);
});
