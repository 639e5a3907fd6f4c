import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Scenario, timed, type Verdict, verdict } from './verdict.ts';

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
/** Requests a second over the subgraphs that live. */
const RATE = 200;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A stopped subgraph nulls its own fields, is refused at once while its breaker is open, and comes back by itself. */
export const breaker: Scenario = {
  name: 'breaker',
  async run(short) {
    const platform = new SpawnedPlatform(['--no-demo', '--split']);
    const verdicts: Verdict[] = [];
    try {
      await platform.start();
      verdicts.push(...(await underLoad(platform, short)));
      for (const process of ['agents', 'audit', 'alerts', 'telemetry'])
        verdicts.push(await stoppedInTurn(platform, process));
      return verdicts;
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

/** Callers at once of a subgraph that hangs, and how many of their calls may reach it. */
const CALLERS = 60;
const MOST_REACHING = 20;

interface Outcome {
  asked: number;
  /** What the router took for each, milliseconds. */
  tookMs: number[];
  /** Fields and codes of what went wrong. */
  wrong: string[];
  perSecond: number;
}

async function underLoad(platform: SpawnedPlatform, short: boolean): Promise<Verdict[]> {
  const forMs = short ? 2_000 : 6_000;
  const pid = platform.pid('alerts');
  const refusedMs: number[] = [];
  const calm = await loadOthers(platform, forMs, []);
  let load = calm;
  let most = 0;
  process.kill(pid, 'SIGSTOP');
  try {
    // No two alike, for equal ones are sent once; each waits for its turn or its time limit.
    const first = Array.from({ length: CALLERS }, (_, at) => platform.ask(`{ a${at}: ${ROOTS['alerts']} }`));
    const seen = wait(
      async () => {
        const { inFlight, breaker } = await alertsStatus(platform);
        most = Math.max(most, inFlight);
        return breaker.state === 'OPEN';
      },
      30_000,
      'the breaker opens',
    );
    await Promise.all([seen, ...first]);
    load = await loadOthers(platform, forMs, refusedMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const closedMs = await wait(
    async () => (await platform.ask(`{ ${ROOTS['alerts']} }`)).errors === undefined,
    30_000,
    'the breaker closes',
  );
  refusedMs.sort((a, b) => a - b);
  const refused = refusedMs[Math.floor(refusedMs.length * 0.99)] ?? Number.NaN;
  const [calmMs, hungMs] = [p99(calm.tookMs), p99(load.tookMs)];
  return [
    verdict(`of ${CALLERS} callers of a hung subgraph reach it`, most, most > 0 && most <= MOST_REACHING),
    // A twentieth, and what a clock of whole milliseconds and a shared machine add.
    timed(
      short,
      'other subgraphs, p99 in the router while one hangs, ms',
      `${hungMs.toFixed(1)} against ${calmMs.toFixed(1)}`,
      hungMs <= 1.05 * calmMs + 5,
    ),
    timed(short, 'other subgraphs, requests a second', Math.round(load.perSecond), load.perSecond > RATE * 0.95),
    verdict('… requests', load.asked, load.asked > 100),
    verdict('… errors', [load.wrong.length, ...new Set(load.wrong)].join(' '), load.wrong.length === 0),
    timed(
      short,
      `refused while open, p99 of ${refusedMs.length}, ms in the router`,
      refused.toFixed(1),
      refusedMs.length > 3 && refused <= 5,
    ),
    timed(short, 'closed by itself after ms', Math.round(closedMs), closedMs <= 10_000),
  ];
}

/** Requests at a steady rate, whatever their answers take, none of which needs the stopped subgraph; a few that do. */
async function loadOthers(platform: SpawnedPlatform, forMs: number, refusedMs: number[]) {
  // Each request asks one subgraph, in turn: all of them in each would measure the engines' rate, not the breaker.
  const others = Object.entries(ROOTS).flatMap(([house, field]) => (house === 'alerts' ? [] : [`{ ${field} }`]));
  const load: Outcome = { asked: 0, tookMs: [], wrong: [], perSecond: 0 };
  const flights: Promise<void>[] = [];
  const other = async () => {
    const asked = await platform.askTimed(others[load.asked % others.length] as string).catch(() => undefined);
    if (asked) load.tookMs.push(asked.routerMs);
    else load.wrong.push('no answer');
    for (const { path: at, extensions } of asked?.answer.errors ?? []) load.wrong.push(`${at}:${extensions.code}`);
  };
  const refusal = async () => {
    const { answer, routerMs } = await platform.askTimed(`{ ${ROOTS['alerts']} }`);
    const [error] = answer.errors ?? [];
    // The one that was let through to see waits for its time limit.
    if (error?.extensions.code === 'SUBGRAPH_UNAVAILABLE') refusedMs.push(routerMs);
  };
  const startedMs = performance.now();
  for (let passedMs = 0; passedMs < forMs; passedMs = performance.now() - startedMs) {
    for (; load.asked < (passedMs / 1_000) * RATE; load.asked += 1) {
      flights.push(other());
      if (load.asked % 20 === 0) flights.push(refusal());
    }
    await pause(5);
  }
  load.perSecond = (load.asked / (performance.now() - startedMs)) * 1_000;
  await Promise.all(flights);
  return load;
}

interface Status {
  name: string;
  inFlight: number;
  breaker: { state: string };
}

async function alertsStatus(platform: SpawnedPlatform): Promise<Status> {
  const answer = await platform.ask('{ router { subgraphs { name inFlight breaker { state } } } }');
  const all = (answer.data?.router?.subgraphs ?? []) as Status[];
  return all.find(({ name }) => name === 'alerts') ?? { name: 'alerts', inFlight: 0, breaker: { state: '' } };
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
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
