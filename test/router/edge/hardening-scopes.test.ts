import { until } from '../../support/until.ts';
import { openEvents, openReady } from './stream-clients.ts';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from './support.ts';

const NEAR = '{ crewz }';
const SCHEMA = '{ __schema { queryType { name } } }';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
  const robin = { kind: 'SCRIPT', name: 'robin' };
  harbour.sea.tokens.set('viewer', { ...robin, id: 'key:viewer', scopes: ['viewer'] });
  harbour.sea.tokens.set('reader', { ...robin, id: 'key:reader', scopes: ['viewer', 'schema:read'] });
});
afterAll(() => harbour.stop());

type Transport = (query: string, token: string) => Promise<{ text: string }>;

const overPost: Transport = async (query, token) => {
  const { errors, data } = await harbour.ask(query, { token });
  return { text: JSON.stringify({ errors, data }) };
};

const overGet: Transport = async (query, token) => {
  const response = await fetch(`${harbour.url}/graphql?${new URLSearchParams({ query })}`, {
    headers: { ...bearer(token), 'x-fleet-csrf': '1' },
  });
  return { text: await response.text() };
};

const overEvents: Transport = async (query, token) => {
  const opened = await openEvents(harbour.router, { query }, token);
  await until(() => opened.isEnded);
  return { text: opened.text };
};

const overSocket: Transport = async (query, token) => {
  const { socket, messages } = await openReady(harbour.router, token);
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
  const answer = await until(() => messages.find(({ id }) => id === '1'));
  socket.close();
  return { text: JSON.stringify(answer) };
};

const TRANSPORTS: [string, Transport][] = [
  ['POST', overPost],
  ['GET', overGet],
  ['server-sent events', overEvents],
  ['WebSocket', overSocket],
];

test.each(TRANSPORTS)('over %s only who may read the schema is told names near the one asked for', async (_, send) => {
  for (const token of ['reader', ADMIN_TOKEN]) {
    expect((await send(NEAR, token)).text).toMatch(/Did you mean[^?]*crews/);
    expect((await send('query ($id: IDD!) { ship(id: $id) { name } }', token)).text).toContain('Did you mean');
  }
  const { text } = await send(NEAR, 'viewer');
  expect(text).toContain('crewz');
  expect(text).not.toContain('Did you mean');
  expect(text).not.toContain('crews');
});

test.each(TRANSPORTS)('over %s only who may read the schema may introspect', async (_, send) => {
  expect((await send(SCHEMA, 'reader')).text).toContain('"name":"Query"');
  const { text } = await send(SCHEMA, 'viewer');
  expect(text).toContain('INTROSPECTION_DISABLED');
  expect(text).not.toContain('"name":"Query"');
});
