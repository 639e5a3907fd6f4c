import { Operations } from '../../../router/http/operations.ts';
import type { AnyShape } from '../../support/house.ts';
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

test.each([
  [
    'of too many members, with white space before each colon',
    `{"a":{${Array.from({ length: 30_001 }, (_, at) => `"m${at}"\n\t :1`).join()}}}`,
    1009,
  ],
  ['of too many members', `{"a":{${Array.from({ length: 30_001 }, (_, at) => `"m${at}":1`).join()}}}`, 1009],
  ['over a megabyte', JSON.stringify({ a: 'x'.repeat(1_000_000) }), 1009],
  ['that is no JSON', '{', 4400],
  ['that is no UTF-8', Buffer.from([0x7b, 0xff]), 1007],
])('a socket with a message %s is closed', async (_, message, code) => {
  const opened = await openReady(harbour.router, 'viewer');
  opened.socket.send(message, { binary: false });
  const closed = await new Promise((resolve) => opened.socket.once('close', resolve));
  expect(closed).toBe(code);
});

test('messages that come together are decided one in each turn of the loop', async () => {
  const { socket, messages } = await openReady(harbour.router, 'viewer');
  let turn = 0;
  const decidedIn: number[] = [];
  const admit = Operations.prototype.admit;
  const watched = jest.spyOn(Operations.prototype, 'admit').mockImplementation(function (this: Operations, ...asked) {
    decidedIn.push(turn);
    return admit.apply(this, asked);
  });
  const nextTurn = () => {
    turn += 1;
    ticking = setImmediate(nextTurn);
  };
  let ticking = setImmediate(nextTurn);
  // In one write: the receiver gets them in one piece.
  (socket as AnyShape)._socket.cork();
  for (let at = 0; at < 20; at++) {
    socket.send(JSON.stringify({ id: `${at}`, type: 'subscribe', payload: { query: `query Q${at} { crews }` } }));
  }
  (socket as AnyShape)._socket.uncork();
  await until(() => messages.filter(({ type }) => type === 'complete').length === 20);
  clearImmediate(ticking);
  watched.mockRestore();
  expect(new Set(decidedIn).size).toBe(20);
  socket.close();
});
