import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

/** A root field of each subgraph. */
const ROOTS: Record<string, string> = {
  agents: 'fleet { total }',
  logs: 'logs(first: 1) { nodes { id } }',
  audit: 'auditCheckpoint { size }',
  alerts: 'alertRules(first: 1) { nodes { id } }',
  metrics: 'metrics(first: 1) { nodes { name } }',
};
const ALL = `{ ${Object.values(ROOTS).join(' ')} }`;
const rootOf = (house: string) => (ROOTS[house] as string).split(/[ (]/)[0] as string;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stopped subgraph nulls its own fields, is refused at once while its breaker is open, and comes back by itself. */
export const breaker: Scenario = {
  name: 'breaker',
  async run(short) {
    const platform = new SpawnedPlatform(['--no-demo', '--split']);
    const verdicts: Verdict[] = [];
    try {
      await platform.start();
      verdicts.push(...(await underLoad(platform, short ? 2_000 : 6_000)));
      for (const process of ['agents', 'audit', 'alerts', 'telemetry'])
        verdicts.push(await stoppedInTurn(platform, process));
      return verdicts;
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

async function underLoad(platform: SpawnedPlatform, forMs: number): Promise<Verdict[]> {
  const pid = platform.pid('alerts');
  const others = Object.entries(ROOTS).filter(([house]) => house !== 'alerts');
  const query = `{ ${others.map(([, field]) => field).join(' ')} }`;
  let wrong = 0;
  let asked = 0;
  const refusedMs: number[] = [];
  process.kill(pid, 'SIGSTOP');
  try {
    await wait(
      async () => (await breakerState(platform)) === 'OPEN' || !(await platform.ask(`{ ${ROOTS['alerts']} }`)),
      30_000,
      'the breaker opens',
    );
    const untilMs = performance.now() + forMs;
    const flights: Promise<void>[] = [];
    while (performance.now() < untilMs) {
      asked += 1;
      flights.push(
        platform
          .ask(query)
          .catch(() => ({ errors: ['no answer'] }))
          .then((answer) => {
            if (answer.errors) wrong += 1;
          }),
      );
      if (asked % 20 === 0) {
        const startedMs = performance.now();
        const answer = await platform.ask(`{ ${ROOTS['alerts']} }`);
        if (answer.errors?.[0]?.extensions.code === 'SUBGRAPH_UNAVAILABLE')
          refusedMs.push(performance.now() - startedMs);
      }
      await pause(5);
    }
    await Promise.all(flights);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const closedMs = await wait(
    async () => (await platform.ask(`{ ${ROOTS['alerts']} }`)).errors === undefined,
    30_000,
    'the breaker closes',
  );
  refusedMs.sort((a, b) => a - b);
  const refused = refusedMs[Math.floor(refusedMs.length / 2)] ?? Number.NaN;
  return [
    verdict('other subgraphs, requests', asked, asked > 100),
    verdict('… with errors', wrong, wrong === 0),
    verdict('refused while open, median ms, client’s round trip', refused.toFixed(1), refusedMs.length > 3),
    verdict('closed by itself after ms', Math.round(closedMs), true),
  ];
}

async function breakerState(platform: SpawnedPlatform): Promise<string> {
  const answer = await platform.ask('{ router { subgraphs { name breaker { state } } } }');
  const all = (answer.data?.router?.subgraphs ?? []) as { name: string; breaker: { state: string } }[];
  return all.find(({ name }) => name === 'alerts')?.breaker.state ?? '';
}

async function stoppedInTurn(platform: SpawnedPlatform, name: string): Promise<Verdict> {
  const houses = name === 'telemetry' ? ['logs', 'metrics'] : [name];
  const pid = platform.pid(name);
  process.kill(pid, 'SIGSTOP');
  try {
    const answer = await platform.ask(ALL);
    const dead = houses.map(rootOf);
    const whole = Object.values(ROOTS)
      .map((field) => field.split(/[ (]/)[0] as string)
      .every((root) => (answer.data?.[root] === null) === dead.includes(root));
    const coded = (answer.errors ?? []).every(
      ({ path: [root] = [], extensions: { code } }) => dead.includes(String(root)) && /UNAVAILABLE|TIMEOUT/.test(code),
    );
    return verdict(
      `without ${name}`,
      answer.errors?.map(({ path: at, extensions }) => `${at}:${extensions.code}`).join(' ') ?? 'no error',
      whole && coded && answer.errors !== undefined,
    );
  } finally {
    process.kill(pid, 'SIGCONT');
    await wait(async () => (await platform.ask(ALL)).errors === undefined, 30_000, `${name} is back`);
  }
}
