import { systemClock } from '../../../lib/clock.ts';
import { fixedFlags } from '../../../lib/flags/index.ts';
import { Log } from '../../../lib/log.ts';
import { BreakerAgreement } from '../../../router/guard/agreement.ts';
import type { Guard } from '../../../router/guard/guard.ts';
import { hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { type Harbour, openHarbour } from '../edge/support.ts';
import { ask, codeOf, guardOver, type Island, json, openIsland, WELL } from './support.ts';

const flags = fixedFlags({ 'router.breaker-agreement': true });

if (hasRedis) describe('routers with the same Redis', agreeing);
else
  test('there is no redis-server here (.ci/run installs one): nothing to agree by', () => expect(hasRedis).toBe(false));

function agreeing() {
  let redis: TestRedis & { port: number };
  let island: Island;
  const ends: (() => void)[] = [];

  beforeEach(async () => {
    redis = await startRedis();
    island = await openIsland();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) end();
    await island.stop();
    await redis.kill();
  });

  /** A guard that agrees with the others, and what it logged. */
  function router() {
    const guard = guardOver([island]);
    const logged: string[] = [];
    const log = new Log('router', [{ write: (line) => void logged.push(line) }], () => 0);
    const agreement = new BreakerAgreement({ guard, redisUrl: redis.url, clock: systemClock, log, flags });
    ends.push(() => {
      agreement.close();
      guard.close();
    });
    const told = (event: string) => logged.filter((line) => line.includes(event)).length;
    return { guard, told };
  }

  const stateOf = (guard: Guard) => guard.circuits.get('sea')?.state;

  async function break_(guard: Guard) {
    for (let time = 0; time < 5; time++) await codeOf(ask(guard));
  }

  test('a breaker that opens in one opens in the others, and closes with its probe', async () => {
    const [one, other] = [router(), router()];
    await ready(one.guard, other.guard);
    island.answer = json({}, 500);
    await break_(one.guard);
    await until(() => stateOf(other.guard)?.phase === 'OPEN');
    expect(stateOf(other.guard)?.reason).toBe('it answered with status 500');
    island.answer = WELL;
    await until(async () => (await codeOf(ask(one.guard))) === 'ok');
    await until(() => stateOf(other.guard)?.phase === 'CLOSED');
    expect(other.guard.circuits.get('sea')?.history.map(({ told, to }) => `${told} ${to}`)).toEqual([
      'true OPEN',
      'true CLOSED',
    ]);
  });

  test('one found broken by its own calls is not closed by another’s word', async () => {
    const [one, other] = [router(), router()];
    await ready(one.guard, other.guard);
    island.answer = json({}, 500);
    await break_(one.guard);
    await until(() => stateOf(other.guard)?.phase === 'OPEN');
    other.guard.circuits.get('sea')?.hear('CLOSED', 'they say');
    one.guard.circuits.get('sea')?.hear('CLOSED', 'they say');
    expect([stateOf(one.guard)?.phase, stateOf(other.guard)?.phase]).toEqual(['OPEN', 'CLOSED']);
  });

  /** Waits until each hears the other; leaves both with their own judgement. */
  async function ready(one: Guard, other: Guard) {
    const says = (guard: Guard, override: 'CLOSED' | 'AUTO') => guard.circuits.get('sea')?.force(override, 'ready?');
    const overrideOf = (guard: Guard) => stateOf(guard)?.override;
    says(one, 'CLOSED');
    await until(() => overrideOf(other) === 'CLOSED');
    says(other, 'AUTO');
    await until(() => overrideOf(one) === 'AUTO');
  }

  test('what somebody decides at one holds at all, for those that start later too, until the opposite is decided', async () => {
    const [one, other] = [router(), router()];
    await ready(one.guard, other.guard);
    one.guard.circuits.get('sea')?.force('OPEN', 'maintenance', Date.now() + 60_000);
    await until(() => stateOf(other.guard)?.override === 'OPEN');
    const late = router();
    await until(() => stateOf(late.guard)?.override === 'OPEN');
    expect(stateOf(late.guard)).toMatchObject({ phase: 'OPEN', reason: 'maintenance' });
    late.guard.circuits.get('sea')?.force('AUTO', 'done');
    await until(() => [one, other].every(({ guard }) => stateOf(guard)?.phase === 'CLOSED'));
  });

  test('while Redis is away each is alone, says so once, and tells afterwards what was decided', async () => {
    const [one, other] = [router(), router()];
    await ready(one.guard, other.guard);
    await redis.kill();
    await until(() => one.told('breakers.redis.away') === 1 && other.told('breakers.redis.away') === 1);
    one.guard.circuits.get('sea')?.force('OPEN', 'maintenance');
    expect(await codeOf(ask(one.guard))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(await codeOf(ask(other.guard))).toBe('ok');
    redis = await startRedis(redis.port);
    await until(() => stateOf(other.guard)?.override === 'OPEN');
    expect([one.told('breakers.redis.away'), one.told('breakers.redis.back')]).toEqual([1, 1]);
  });

  test('what is no message of ours changes nothing', async () => {
    const one = router();
    const { Redis } = require('ioredis') as typeof import('ioredis');
    const stranger = new Redis(redis.url);
    ends.push(() => stranger.disconnect());
    await until(async () => (await stranger.pubsub('NUMSUB', 'fleet:breakers'))[1] === 1);
    const strange = ['no JSON', '{}', '{"router":"x","subgraph":"land","phase":"OPEN","reason":"x"}'];
    for (const text of strange) await stranger.publish('fleet:breakers', text);
    await stranger.publish('fleet:breakers', '{"router":"x","subgraph":"sea","phase":"OPEN","reason":"told"}');
    await until(() => stateOf(one.guard)?.phase === 'OPEN');
    expect(one.guard.circuits.get('sea')?.history).toHaveLength(1);
  });

  test('two served routers: one is told by mutation, the other refuses', async () => {
    let harbour: Harbour | undefined;
    try {
      harbour = await openHarbour({ flags, redisUrl: redis.url });
      const second = await harbour.another();
      const force = (override: string) =>
        harbour?.ask(`mutation { forceBreaker(input: { subgraph: "crews", override: ${override}, reason: "drill" }) {
          subgraph { breaker { state } } userErrors { message } } }`);
      await force('OPEN');
      const codeAtSecond = async () =>
        (await harbour?.ask('{ crews }', { url: second.url }))?.errors?.[0]?.extensions.code ?? 'ok';
      await until(async () => (await codeAtSecond()) === 'SUBGRAPH_UNAVAILABLE');
      await force('AUTO');
      await until(async () => (await codeAtSecond()) === 'ok');
    } finally {
      await harbour?.stop();
    }
  });
}
