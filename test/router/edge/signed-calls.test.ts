import { connect } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { HouseClient } from '../../../lib/call/house-client.ts';
import { type Call, deriveKey, signCall } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { type Served, type ServeHouseOptions, serveHouse } from '../../../lib/serve/house.ts';
import { loadSettings } from '../../../lib/settings/index.ts';
import type { Subgraph } from '../../../lib/subgraph.ts';
import { composeSupergraph } from '../../../router/compose.ts';
import { type ServedRouter, serveRouter } from '../../../router/server.ts';
import { callOf } from '../../support/house.ts';
import { ask } from './support.ts';

const SDL = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { caller: String }`;
const OLD = 'the secret of yesterday, thirty-two characters or more';
const NEW = 'the secret of tomorrow, thirty-two characters or more';
const BODY = '{"query":"{ caller }"}';
const TARGET = 'POST /graphql';

function house(): Subgraph {
  const resolvers = { Query: { caller: (_: unknown, __: unknown, { call }: { call: Call }) => call.principal.id } };
  const schema = buildSubgraphSchema({ typeDefs: parse(SDL), resolvers: resolvers as never });
  return { name: 'callee', schema, context: (call) => ({ call }) };
}

let served: Served;
const serve = async (options: Partial<ServeHouseOptions>) => {
  served = await serveHouse(house(), { secret: NEW, clock: systemClock, log: silentLog, ...options });
};
afterEach(() => served.stop());

interface Forgery {
  secret?: string;
  to?: string;
  target?: string;
  atMs?: number;
  call?: Partial<Call>;
}

const signed = ({
  secret = NEW,
  to = 'callee',
  target = TARGET,
  atMs = systemClock.nowMs(),
  call = {},
}: Forgery = {}) => signCall(deriveKey(secret, `call:${to}`), to, target, BODY, callOf(call), atMs);

async function send(headers: Record<string, string>, body = BODY, path = '/graphql') {
  const response = await fetch(`${served.url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

test('a signed call is answered as its caller', async () => {
  await serve({});
  const call = { principal: { id: 'robin', kind: 'SCRIPT' as const, name: 'robin', scopes: [] } };
  expect(await send(signed({ call }))).toEqual({ status: 200, text: '{"data":{"caller":"robin"}}' });
});

test.each<[string, () => Record<string, string>, string?, string?]>([
  ['unsigned', () => ({})],
  ['with a call and no proof', () => ({ 'x-fleet-call': signed()['x-fleet-call'] as string })],
  ['with another body', () => signed(), '{"query":"{ __typename }"}'],
  ['with a body that was cut', () => signed(), ''],
  [
    'as another caller',
    () => ({
      ...signed(),
      'x-fleet-call': signed({
        call: { principal: { id: 'admin', kind: 'SCRIPT', name: 'admin', scopes: ['admin'] } },
      })['x-fleet-call'] as string,
    }),
  ],
  ['meant for another house', () => signed({ to: 'other' })],
  ['meant for another route', () => signed({ target: 'POST /internal/credentials' })],
  ['to another route', () => signed(), BODY, '/graphql?as=admin'],
  ['older than its time', () => signed({ atMs: systemClock.nowMs() - 31_000 })],
  ['dated ahead', () => signed({ atMs: systemClock.nowMs() + 32_000 })],
  [
    'dated nowhere',
    () => ({ ...signed(), 'x-fleet-proof': (signed()['x-fleet-proof'] as string).replace(/^\d+/, 'NaN') }),
  ],
  ['by a secret nobody has', () => signed({ secret: 'some other secret, thirty-two characters or more' })],
  ['by a secret that is over', () => signed({ secret: OLD })],
])('a call %s is 401, and is not run', async (_, ...row) => {
  const [headers, body, path] = row;
  await serve({});
  const { status, text } = await send(headers(), body, path);
  expect(status).toBe(401);
  expect(JSON.parse(text)).toEqual({
    errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
  });
});

test('a stranger is refused before his body is read', async () => {
  await serve({});
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  socket.write('POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n{');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toMatch(/^HTTP\/1\.1 401 /);
});

test('a call is taken once: its replay is 401, also beside it', async () => {
  await serve({});
  const headers = signed();
  const answers = await Promise.all(Array.from({ length: 10 }, () => send(headers)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(401)]);
});

describe('while the secret is changed', () => {
  const routers: ServedRouter[] = [];
  const clients: HouseClient[] = [];
  afterEach(async () => {
    for (const router of routers.splice(0)) await router.stop();
    for (const client of clients.splice(0)) client.close();
  });

  /** What a router that signs with this secret gets from the house. */
  async function answerTo(secret: string) {
    const client = new HouseClient('callee', served.url, deriveKey(secret, 'call:callee'), () => systemClock.nowMs());
    const supergraphSdl = composeSupergraph([{ name: 'callee', url: `${served.url}/graphql`, sdl: SDL }]);
    const router = await serveRouter({ supergraphSdl, clock: systemClock, log: silentLog, houses: { callee: client } });
    clients.push(client);
    routers.push(router);
    return (await ask(router.url, '{ caller }', { token: '' })).data.caller;
  }

  test.each([
    ['the new one is taken before anybody signs with it', { secret: OLD, acceptedSecrets: [NEW] }, [OLD, NEW], []],
    ['the old one is taken while some sign with it still', { secret: NEW, acceptedSecrets: [OLD] }, [OLD, NEW], []],
    ['and no longer once it is away', { secret: NEW, acceptedSecrets: [] }, [NEW], [OLD]],
  ])('%s', async (_, options, taken, refused) => {
    await serve(options);
    for (const secret of taken) expect(await answerTo(secret)).toBe('anonymous');
    for (const secret of refused) expect(await answerTo(secret)).toBeNull();
  });

  test('the setting takes two others at most, none of them short', () => {
    const accepted = (text: string) => loadSettings({ FLEET_SECRET_ACCEPTED: text }).FLEET_SECRET_ACCEPTED;
    expect(accepted('')).toEqual([]);
    const [one, two] = ['x'.repeat(32), 'y'.repeat(32)];
    expect(accepted(`${one},${two}`)).toEqual([one, two]);
    expect(() => accepted(`${one},${two},${one}`)).toThrow('FLEET_SECRET_ACCEPTED is wrong');
    expect(() => accepted('short')).toThrow('at least 32 characters');
  });
});
