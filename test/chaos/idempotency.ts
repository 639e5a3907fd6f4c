import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { readAll } from './pages.ts';
import { Retrier } from './retrier.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

/** Mutations of each house, one key each, sent again and again while the router is killed under them. */
export const idempotency: Scenario = {
  name: 'idempotency',
  async run(short) {
    const platform = new SpawnedPlatform(['--no-demo']);
    try {
      await platform.start();
      const retrier = new Retrier(platform, Number(process.env['CHAOS_SEED'] ?? Date.now() % 100_000));
      const kills = short ? 4 : 12;
      retrier.start();
      for (let round = 0; round < kills; round += 1) await killMidway(platform, retrier);
      await retrier.stop();
      return [
        verdict('seed', retrier.seed, true),
        verdict('router killed, times', kills, true),
        verdict('keys', retrier.keys.length, retrier.keys.length > 20),
        verdict('… tries that were lost with a router', retrier.lost, retrier.lost > 0),
        ...(await effects(platform, retrier)),
      ];
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

/** SIGKILL while mutations are under way: after some more were answered, not after a time. */
async function killMidway(platform: SpawnedPlatform, retrier: Retrier): Promise<void> {
  const target = retrier.answered + 20 + Math.floor(retrier.random() * 40);
  await wait(() => retrier.answered >= target, 30_000, 'mutations are under way');
  const pid = platform.pid('router');
  process.kill(pid, 'SIGKILL');
  await wait(() => platform.pid('router') !== pid && platform.pid('router') > 0, 20_000, 'the router is started again');
  await wait(() => platform.isReady(), 30_000, 'the router is ready');
}

/** How often each key took effect, as the houses tell, and how often it is audited. */
async function effects(platform: SpawnedPlatform, retrier: Retrier): Promise<Verdict[]> {
  const { mark } = retrier;
  const wanted = (house: string) => retrier.keys.filter((key) => key.startsWith(`${mark}-${house}-`));
  const told = (what: string, found: readonly string[], house: string) => {
    const keys = wanted(house);
    const wrong = keys.filter((key) => found.filter((each) => each === key).length !== 1).length;
    const more = found.filter((each) => each.startsWith(mark) && !keys.includes(each)).length;
    return verdict(`${what}: not exactly once, of ${keys.length}`, wrong + more, wrong + more === 0 && keys.length > 3);
  };
  const audited = async (actions: string[]) =>
    (await readAll(platform, 'auditEntries', 'reason after', { actions, outcomes: ['SUCCEEDED'] })).map(
      ({ reason, after }) => reason ?? after?.name ?? '',
    );
  await wait(
    async () => (await audited(['createApiKey'])).length >= wanted('agents').length,
    20_000,
    'the relay delivers',
  );
  const { data } = await platform.ask('{ apiKeys { name } }');
  const alerts = await readAll(platform, 'alerts', 'label(name: "key")', { names: [mark] });
  const logs = await readAll(platform, 'logs', 'body', { services: [mark] });
  return [
    told(
      'agents: keys made',
      data?.apiKeys.map(({ name }: { name: string }) => name),
      'agents',
    ),
    told('agents: audited', await audited(['createApiKey']), 'agents'),
    told(
      'alerts: raised',
      alerts.map(({ label }) => label),
      'alerts',
    ),
    told(
      'logs: lines stored',
      logs.map(({ body }) => body),
      'logs',
    ),
    told('router: breaker forced, audited', await audited(['forceBreaker']), 'router'),
  ];
}
