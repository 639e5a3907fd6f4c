import type { Principal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { Authenticator, bearerIn } from '../../../router/callers/authenticator.ts';
import { DoorKeeper } from '../../../router/callers/door-keeper.ts';

import { LiveStreams } from '../../../router/http/live-streams.ts';
import { serveRouter } from '../../../router/server.ts';
import { until } from '../../support/until.ts';
import { type Harbour, openHarbour } from './support.ts';

const ROBIN: Principal = { id: 'key:robin', kind: 'SCRIPT', name: 'robin', scopes: ['viewer'] };

function clockAt(startMs = 1_000_000): Clock & { ms: number } {
  const clock = { ...systemClock, ms: startMs, nowMs: () => clock.ms };
  return clock;
}

describe('a credential', () => {
  function deskOf(clock: Clock) {
    const desk = { tokens: new Map<string, Principal>(), asked: 0, away: false };
    const authenticator = new Authenticator({
      adminToken: 'the-admin-token',
      clock,
      desk: {
        async ask(token) {
          desk.asked += 1;
          if (desk.away) throw new Error('away');
          return desk.tokens.get(token);
        },
        async askAll(tokens) {
          desk.asked += 1;
          if (desk.away) throw new Error('away');
          return tokens.map((token) => desk.tokens.get(token));
        },
      },
    });
    return { desk, authenticator };
  }

  test('is asked for once a second, for all who ask at once', async () => {
    const clock = clockAt();
    const { desk, authenticator } = deskOf(clock);
    desk.tokens.set('t', ROBIN);
    const found = await Promise.all(Array.from({ length: 20 }, () => authenticator.principalOf('t')));
    expect(found).toEqual(Array(20).fill(ROBIN));
    expect(desk.asked).toBe(1);
    clock.ms += 999;
    await authenticator.principalOf('t');
    expect(desk.asked).toBe(1);
    clock.ms += 1;
    desk.tokens.clear();
    expect(await authenticator.principalOf('t')).toBeUndefined();
    expect(await authenticator.principalOf('t')).toBeUndefined();
    expect(desk.asked).toBe(2);
  });

  test('the admin’s needs nobody to be asked', async () => {
    const { desk, authenticator } = deskOf(clockAt());
    desk.away = true;
    expect(await authenticator.principalOf('the-admin-token')).toMatchObject({ id: 'admin', scopes: ['admin'] });
    expect(await new Authenticator({ clock: clockAt() }).principalOf('x')).toBeUndefined();
  });

  test('that was confirmed within a minute is good while nobody can tell; a stranger is told to come back', async () => {
    const clock = clockAt();
    const { desk, authenticator } = deskOf(clock);
    desk.tokens.set('t', ROBIN);
    await authenticator.principalOf('t');
    desk.away = true;
    clock.ms += 59_000;
    expect(await authenticator.principalOf('t')).toEqual(ROBIN);
    await expect(authenticator.principalOf('new')).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    clock.ms += 1_001;
    await expect(authenticator.principalOf('t')).rejects.toMatchObject({ extensions: { retryAfterMs: 1_000 } });
  });

  test('ends at its own time, whoever remembers it', async () => {
    const clock = clockAt();
    const { desk, authenticator } = deskOf(clock);
    desk.tokens.set('t', { ...ROBIN, expiresAtMs: clock.ms + 500 });
    expect(await authenticator.principalOf('t')).toMatchObject({ id: 'key:robin' });
    clock.ms += 500;
    expect(await authenticator.principalOf('t')).toBeUndefined();
  });

  test('that is guessed at slows its address down, a good one does not', async () => {
    const { desk, authenticator } = deskOf(clockAt());
    const keeper = new DoorKeeper(authenticator);
    for (let at = 0; at < 200; at++) {
      desk.tokens.set(`good ${at}`, ROBIN);
      await keeper.admit(`good ${at}`, '10.0.0.1');
    }
    const guesses = await Promise.allSettled(
      Array.from({ length: 60 }, (_, at) => keeper.admit(`bad ${at}`, '10.0.0.2')),
    );
    const codes = guesses.map((guess) => guess.status === 'rejected' && guess.reason.code);
    expect(codes.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(50);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(10);
  });

  test('of something that stays open is asked about every half second, all in one question', async () => {
    jest.useFakeTimers();
    const clock = clockAt();
    const { desk, authenticator } = deskOf(clock);
    const streams = new LiveStreams(new DoorKeeper(authenticator), clock);
    const ended: string[] = [];
    for (const token of ['a', 'a', 'b', 'over', 'the-admin-token']) {
      const principal = { ...ROBIN, ...(token === 'over' ? { expiresAtMs: clock.ms + 700 } : {}) };
      desk.tokens.set(token, principal);
      streams.add({ principal, token, expire: () => ended.push(token), drain: () => undefined });
      // However lately it was confirmed.
      await authenticator.principalOf(token);
    }
    desk.asked = 0;
    streams.start();
    desk.tokens.delete('a');
    clock.ms += 500;
    await jest.advanceTimersByTimeAsync(500);
    expect(ended).toEqual(['a', 'a']);
    expect(desk.asked).toBe(1);
    expect(await authenticator.principalOf('a')).toBeUndefined();
    desk.away = true;
    clock.ms += 500;
    await jest.advanceTimersByTimeAsync(500);
    expect(ended).toEqual(['a', 'a', 'over']);
    streams.stop();
    jest.useRealTimers();
  });

  test.each([
    [undefined, undefined],
    ['Bearer abc', 'abc'],
    ['bearer  abc', 'abc'],
    ['Basic abc', undefined],
    ['Bearer a b', undefined],
  ])('the header %p holds the token %p', (header, token) => {
    expect(bearerIn(header)).toBe(token);
  });
});

describe('at the public port', () => {
  let harbour: Harbour;
  beforeAll(async () => {
    harbour = await openHarbour({ limits: { clientPerSecond: 3 } });
    harbour.sea.tokens.set('robin', ROBIN);
  });
  afterAll(() => harbour.stop());

  test('without a token, or with a wrong one, everything is 401, and the audit trail knows', async () => {
    const without = await harbour.ask('{ crews }', { token: '' });
    expect(without).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
    });
    expect(without.headers.get('www-authenticate')).toBe('Bearer');
    expect(without.data).toBeUndefined();
    expect((await harbour.ask('{ crews }', { token: 'wrong' })).status).toBe(401);
    const entry = await until(() =>
      harbour.sea.entries.find(({ requestId }) => requestId === without.headers.get('x-request-id')),
    );
    expect(entry).toMatchObject({
      action: 'router.request.denied',
      outcome: 'DENIED',
      actor: { id: 'anonymous' },
      targetId: '/graphql',
      clientIp: '127.0.0.1',
    });
  });

  test('a house sees the caller that a token stands for', async () => {
    await harbour.ask('{ ship(id: "x") { name } }', { token: 'robin' });
    expect(harbour.sea.calls.at(-1)?.principal).toEqual(ROBIN);
  });

  test('a field of another’s scope is withheld, and the audit trail knows', async () => {
    harbour.sea.tokens.set('sentry', { ...ROBIN, id: 'key:sentry' });
    const answer = await harbour.ask('{ secret }', { token: 'sentry' });
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      requestId: answer.headers.get('x-request-id'),
    });
    await until(() => harbour.sea.entries.some(({ actor }) => actor.id === 'key:sentry'));
    const introspection = await harbour.ask('{ __schema { queryType { name } } }', { token: 'sentry' });
    expect(introspection).toMatchObject({ status: 403, errors: [{ extensions: { code: 'INTROSPECTION_DISABLED' } }] });
  });

  test('a client beyond its rate is told when to come back', async () => {
    harbour.sea.tokens.set('eager', { ...ROBIN, id: 'key:eager' });
    const answers = await Promise.all(Array.from({ length: 12 }, () => harbour.ask('{ crews }', { token: 'eager' })));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(6);
    expect(limited[0]?.headers.get('retry-after')).toBe('1');
    expect(limited[0]?.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
  });

  test('telemetry needs an agent or an operator', async () => {
    harbour.sea.tokens.set('reader', { ...ROBIN, id: 'key:reader' });
    const send = (token: string) =>
      fetch(`${harbour.url}/v1/logs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      });
    expect((await send('reader')).status).toBe(403);
    harbour.sea.tokens.set('agent', { ...ROBIN, id: 'agent:1', kind: 'AGENT', scopes: ['agent'] });
    const accepted = await send('agent');
    expect(accepted.status).toBe(200);
    expect(accepted.headers.get('ratelimit')).toMatch(/^"requests"/);
  });

  test('metrics need a viewer', async () => {
    harbour.sea.tokens.set('blind', { ...ROBIN, id: 'key:blind', scopes: ['auditor'] });
    const response = await fetch(`${harbour.url}/metrics`, { headers: { authorization: 'Bearer blind' } });
    expect(response.status).toBe(403);
  });

  test('with nobody to ask about it, an unknown token is 503 with a time to come back', async () => {
    harbour.sea.credentials = false;
    const answer = await harbour.ask('{ crews }', { token: 'never-seen' });
    expect(answer).toMatchObject({ status: 503, errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    expect(answer.headers.get('retry-after')).toBe('1');
    harbour.sea.credentials = true;
  });

  test('a router without callers is open', async () => {
    const options = { supergraphSdl: harbour.supergraphSdl };
    const open = await serveRouter({ ...options, clock: systemClock, log: silentLog, houses: {} });
    const answer = await harbour.ask('{ __typename }', { url: open.url, token: '' });
    expect(answer).toMatchObject({ status: 200, data: { __typename: 'Query' } });
    await open.stop();
  });
});
