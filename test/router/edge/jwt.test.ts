import { createHmac } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { loadSettings } from '../../../lib/settings/index.ts';
import { Authenticator } from '../../../router/callers/authenticator.ts';
import { JwtDesk } from '../../../router/callers/jwt.ts';
import { jwtIn } from '../../../router/callers/jwt-settings.ts';
import { until } from '../../support/until.ts';
import { type Issuer, openIssuer } from './issuer.ts';
import { type Harbour, openHarbour } from './support.ts';

const clock = { ...systemClock, ms: Date.now(), nowMs: () => clock.ms };
let issuer: Issuer;
beforeEach(async () => {
  issuer = await openIssuer(clock.nowMs);
});
afterEach(() => issuer.stop());

const optionsOf = (more = {}) => ({
  issuers: { [issuer.name]: issuer.place },
  audience: ['fleetgraph', 'other'],
  algorithms: ['ES256'],
  skewMs: 30_000,
  ...more,
});
const deskOf = (more = {}) => new JwtDesk(optionsOf(more), clock, silentLog);
const authenticatorOf = (jwt = deskOf()) => new Authenticator({ jwt, clock });
const inSeconds = (fromNow: number) => Math.floor(clock.ms / 1_000) + fromNow;

test('a signed token is its subject’s, with the scopes that are ours', async () => {
  expect(await authenticatorOf().principalOf(await issuer.token({ name: 'Robin', exp: inSeconds(60) }))).toEqual({
    id: `jwt:${issuer.name}|robin`,
    kind: 'PERSON',
    name: 'Robin',
    scopes: ['viewer', 'schema:read'],
    expiresAtMs: inSeconds(60) * 1_000 + 30_000,
  });
});

test.each([
  ['a list of scopes', { scope: undefined, scp: ['operator', 'root', 7] }, { scopes: ['operator'] }],
  ['scp as one text', { scope: undefined, scp: 'auditor' }, { scopes: ['auditor'] }],
  ['no scope', { scope: undefined }, { scopes: [], name: 'robin' }],
  ['a client that speaks for itself', { client_id: 'robin' }, { kind: 'SCRIPT' }],
  ['an azp that is its subject', { azp: 'robin' }, { kind: 'SCRIPT' }],
  ['a kind it claims', { kind: 'SYSTEM', preferred_username: 'rob' }, { kind: 'PERSON', name: 'rob' }],
  ['one audience of several', { aud: ['x', 'other'] }, { name: 'robin' }],
])('%s is read', async (_, claims, principal) => {
  expect((await deskOf().verify(await issuer.token(claims as never)))?.principal).toMatchObject(principal);
});

test.each<[string, (made: Issuer) => Promise<string> | string]>([
  ['expired beyond the skew', (made) => made.token({ exp: inSeconds(-31) })],
  ['not yet valid beyond the skew', (made) => made.token({ nbf: inSeconds(31) })],
  ['without an end', (made) => made.token({ exp: undefined as never })],
  ['for another audience', (made) => made.token({ aud: 'elsewhere' })],
  ['without an audience', (made) => made.token({ aud: undefined as never })],
  ['of another issuer', (made) => made.token({ iss: 'https://evil.example' })],
  ['without a subject', (made) => made.token({ sub: undefined as never })],
  ['of an empty subject', (made) => made.token({ sub: '' })],
  [
    'of a key nobody knows',
    async (made) => {
      await made.addKey('hidden', false);
      return await made.token({}, 'hidden');
    },
  ],
  [
    'with another’s key under a known name',
    async () => {
      const other = await openIssuer(clock.nowMs);
      await other.stop();
      return await other.token();
    },
  ],
  [
    'altered',
    async (made) => {
      const [head, , signature] = (await made.token()).split('.');
      const claims = { iss: made.name, sub: 'admin', aud: 'fleetgraph', exp: inSeconds(60), scope: 'admin' };
      return [head, base64url(claims), signature].join('.');
    },
  ],
  ['unsigned', (made) => forged({ alg: 'none' }, made, 'AAAAAAAAAAAA')],
  [
    'signed with the public key as a secret',
    (made) => {
      const text = forged({ alg: 'HS256', kid: 'first' }, made, '').slice(0, -1);
      return `${text}.${createHmac('sha256', JSON.stringify(made.keys[0])).update(text).digest('base64url')}`;
    },
  ],
  [
    'with an extension it says is critical',
    (made) =>
      made
        .token({}, 'first', { crit: ['exp'] })
        .catch(() => forged({ alg: 'ES256', kid: 'first', crit: ['b64x'], b64x: 1 }, made, 'AAAAAAAAAAAA')),
  ],
  [
    'with a key of its own in its head',
    async (made) => {
      const other = await openIssuer(clock.nowMs, made.name);
      await other.stop();
      return await other.token({}, 'first', { jwk: other.keys[0], jku: other.place, x5u: other.place });
    },
  ],
  ['whose key is a path', (made) => forged({ alg: 'ES256', kid: '../../../dev/null' }, made, 'AAAAAAAAAAAA')],
  ['whose key is no name', (made) => forged({ alg: 'ES256', kid: { $ne: '' } }, made, 'AAAAAAAAAAAA')],
  ['whose algorithm is no name', (made) => forged({ alg: ['ES256'], kid: 'first' }, made, 'AAAAAAAAAAAA')],
  ['of an issuer that is a list', (made) => made.token({ iss: [made.name] as never })],
  ['whose end is a text', (made) => made.token({ exp: '9999999999' as never })],
  ['that is no JSON', () => 'aaaaaaaaaaaa.bbbbbbbbbbbb.cccccccccccc'],
])('a token %s is refused', async (_, make) => {
  expect(await authenticatorOf().principalOf(await make(issuer))).toBeUndefined();
});

test('a signature outside the list is refused, though its key is known', async () => {
  expect(await deskOf({ algorithms: ['RS256'] }).verify(await issuer.token())).toBeUndefined();
});

test('within the skew a token is taken, and its end is its own end and the skew', async () => {
  const authenticator = authenticatorOf();
  const token = await issuer.token({ exp: inSeconds(-29), nbf: inSeconds(29) });
  const principal = await authenticator.principalOf(token);
  expect(principal?.expiresAtMs).toBe(inSeconds(-29) * 1_000 + 30_000);
  clock.ms = principal?.expiresAtMs as number;
  expect(await authenticator.principalOf(token)).toBeUndefined();
});

test('a hot token is remembered until its end: nobody verifies it again', async () => {
  const desk = deskOf();
  const asked = jest.spyOn(desk, 'verify');
  const authenticator = authenticatorOf(desk);
  const token = await issuer.token();
  expect(authenticator.recall(token)).toBeUndefined();
  await Promise.all(Array.from({ length: 20 }, () => authenticator.principalOf(token)));
  clock.ms += 599_000;
  expect(authenticator.recall(token)).toMatchObject({ name: 'robin' });
  expect(asked).toHaveBeenCalledTimes(1);
  expect(issuer.read).toBe(1);
});

test('a rotated key is taken at once, one that was taken back ends what it signed', async () => {
  const authenticator = authenticatorOf();
  const old = await issuer.token();
  expect(await authenticator.principalOf(old)).toBeDefined();
  clock.ms += 31_000;
  await issuer.addKey('second');
  issuer.keys = issuer.keys.filter(({ kid }) => kid === 'second');
  expect(await authenticator.principalOf(await issuer.token({}, 'second'))).toBeDefined();
  expect(issuer.read).toBe(2);
  expect(authenticator.recall(old)).toBeUndefined();
  // What stays open on it ends too.
  expect(await authenticator.ended([old, await issuer.token({}, 'second')])).toEqual(new Set([old]));
  expect(await authenticator.principalOf(old)).toBeUndefined();
});

test('keys nobody knows make the set be read at most once in the time it rests', async () => {
  const authenticator = authenticatorOf();
  await authenticator.principalOf(await issuer.token());
  await issuer.addKey('hidden', false);
  for (let at = 0; at < 20; at++) {
    expect(await authenticator.principalOf(await issuer.token({ jti: String(at) }, 'hidden'))).toBeUndefined();
  }
  expect(issuer.read).toBe(1);
  clock.ms += 30_000;
  for (let at = 20; at < 40; at++) await authenticator.principalOf(await issuer.token({ jti: String(at) }, 'hidden'));
  expect(issuer.read).toBe(2);
});

test('with the issuer away its known keys still count, a day long; a key nobody knows cannot be told', async () => {
  const authenticator = authenticatorOf();
  await authenticator.principalOf(await issuer.token());
  issuer.isAway = true;
  clock.ms += 3_600_000;
  expect(await authenticator.principalOf(await issuer.token())).toMatchObject({ name: 'robin' });
  await until(() => issuer.read === 2);
  await issuer.addKey('hidden', false);
  await expect(authenticator.principalOf(await issuer.token({}, 'hidden'))).rejects.toMatchObject({
    code: 'SUBGRAPH_UNAVAILABLE',
  });
  clock.ms += 24 * 3_600_000;
  await expect(authenticator.principalOf(await issuer.token())).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});

test('keys are read anew in the background once they are old', async () => {
  const authenticator = authenticatorOf();
  await authenticator.principalOf(await issuer.token());
  issuer.keys = [];
  clock.ms += 600_001;
  const token = await issuer.token({ exp: inSeconds(9_000) });
  expect(await authenticator.principalOf(token)).toBeDefined();
  await until(() => issuer.read === 2);
  await until(async () => (await authenticator.principalOf(token)) === undefined);
});

test('a set that is none, too large or elsewhere gives no keys', async () => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'jwks-')), 'keys.json');
  const token = await issuer.token();
  for (const text of ['{', '{"keys":7}']) {
    writeFileSync(file, text);
    const desk = deskOf({ issuers: { [issuer.name]: file } });
    await expect(desk.verify(token)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  }
  writeFileSync(file, JSON.stringify({ keys: issuer.keys }));
  expect(await deskOf({ issuers: { [issuer.name]: file } }).verify(token)).toBeDefined();
  issuer.keys = Array.from({ length: 10_000 }, () => issuer.keys[0] as never);
  await expect(deskOf().verify(token)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});

test.each([
  ['http://issuer.example/jwks.json', false],
  ['ftp://issuer.example/jwks.json', false],
  ['jwks.json', false],
  ['https://issuer.example/jwks.json?a=b', true],
  ['http://127.0.0.1:99/jwks.json', true],
  ['http://[::1]:99/jwks.json', true],
  ['/etc/fleetgraph/jwks.json', true],
])('keys at %s: %p', (place, isTaken) => {
  const load = () => jwtIn(loadSettings({ FLEET_JWT_ISSUERS: `https://issuer.example=${place}` }));
  if (isTaken) expect(load()?.issuers).toEqual({ 'https://issuer.example': place });
  else expect(load).toThrow('FLEET_JWT_ISSUERS is wrong');
});

test.each(['none', 'HS256', ''])('the setting refuses signatures by %p', (FLEET_JWT_ALGORITHMS) => {
  expect(jwtIn(loadSettings({}))).toBeUndefined();
  const load = () => loadSettings({ FLEET_JWT_ALGORITHMS: `${FLEET_JWT_ALGORITHMS},` });
  expect(load).toThrow('FLEET_JWT_ALGORITHMS is wrong');
});

describe('at the public port', () => {
  let harbour: Harbour;
  afterEach(() => harbour.stop());

  test('a cold start with the issuer away is 503 with a time to come back, not 401; then all is well', async () => {
    harbour = await openHarbour();
    const callers = { adminToken: 'some-admin-token-here', jwt: optionsOf() };
    const { url } = await harbour.another({ clock, callers });
    const token = await issuer.token();
    issuer.isAway = true;
    const answer = await harbour.ask('{ crews }', { url, token });
    expect(answer).toMatchObject({ status: 503, errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    expect(answer.headers.get('retry-after')).toBe('1');
    issuer.isAway = false;
    clock.ms += 1_000;
    expect(await harbour.ask('{ crews }', { url, token })).toMatchObject({ status: 200, data: { crews: 1 } });
    expect((await harbour.ask('{ crews }', { url, token: `${token}x` })).status).toBe(401);
    expect((await harbour.ask('{ secret }', { url, token })).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function forged(header: object, { name }: Issuer, signature: string): string {
  const claims = { iss: name, sub: 'admin', aud: 'fleetgraph', exp: inSeconds(60), scope: 'admin' };
  return `${base64url(header)}.${base64url(claims)}.${signature}`;
}
