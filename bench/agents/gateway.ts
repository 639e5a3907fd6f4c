import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { SpawnedPlatform, wait } from '../../test/support/spawned-platform.ts';
import type { Figure } from '../figure.ts';

const AGENTS = 6;
const KIND = 'answerer';
const given = (name: string, byDefault: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? byDefault : Number(process.argv[at + 1]);
};
const A_SECOND = given('rate', 500);
const SECONDS = given('seconds', 12);
const WARM_S = 3;
/** Longer than the router tries, milliseconds: what is not answered by then is lost. */
const LONGEST_MS = 40_000;
const UP = `{ agents(first: 10, filter: { kinds: ["${KIND}"], presences: [ONLINE], states: [RUNNING] }) { totalCount } }`;

/** Requests to agents through the public port, half of the agents killed in the middle; its processor time beside a bare proxy's. */
export async function gatewayFigures(): Promise<Figure[]> {
  const platform = new SpawnedPlatform(['--no-demo']);
  const children: ChildProcess[] = [];
  try {
    await platform.start({ FLEET_LOG_LEVEL: 'error' });
    const { url, token } = platform;
    const start = (at: number) => child('gateway-agent.js', [url, token, `${KIND}-${at}`, KIND], children);
    const agents = await Promise.all(Array.from({ length: AGENTS }, (_, at) => start(at)));
    const isUp = async () => (await platform.ask(UP)).data?.agents.totalCount === AGENTS;
    await wait(isUp, 60_000, 'all agents are up');
    const bare = await child(
      'bare-proxy.js',
      agents.map((agent) => agent.url),
      children,
    );
    const router = new Load(`${url}/agents/${KIND}/work`, token);
    const rival = new Load(`${bare.url}/work`, token);
    for (const load of [rival, router]) await load.run(WARM_S);
    const bareCost = await costOf(bare.process.pid as number, () => rival.run(SECONDS));
    const cost = await costOf(platform.pid('router'), () => router.run(SECONDS));
    const kill = setTimeout(
      () => {
        for (const agent of agents.slice(0, AGENTS / 2)) agent.process.kill('SIGKILL');
      },
      (SECONDS * 1_000) / 2,
    );
    const killed = await router.run(SECONDS);
    clearTimeout(kill);
    return [
      {
        promise: `gateway: ${A_SECOND}/s to ${AGENTS} agents, half of them killed: lost`,
        measured: String(killed.lost.length),
        against: '0',
        ratio: `of ${killed.tookMs.length}${killed.lost.length ? `: ${[...new Set(killed.lost)].join(', ')}` : ''}`,
      },
      {
        promise: '… p99 while they are killed, and before, ms',
        measured: p99(killed.tookMs),
        against: p99(cost.run.tookMs),
        ratio: `bare proxy ${p99(bareCost.run.tookMs)}`,
      },
      {
        promise: '… CPU a request, µs',
        measured: cost.microseconds.toFixed(0),
        against: `${bareCost.microseconds.toFixed(0)} bare`,
        ratio: (cost.microseconds / bareCost.microseconds).toFixed(1),
      },
    ];
  } finally {
    for (const one of children) one.kill('SIGKILL');
    await platform.stop();
    platform.remove();
  }
}

interface Started {
  url: string;
  process: ChildProcess;
}

async function child(script: string, args: readonly string[], children: ChildProcess[]): Promise<Started> {
  const started = fork(path.join(__dirname, script), [...args]);
  children.push(started);
  const { url } = await new Promise<{ url: string }>((resolve) => started.once('message', resolve as never));
  return { url, process: started };
}

interface Run {
  tookMs: number[];
  /** Why each request that was not answered whole was not. */
  lost: string[];
}

/** Requests at a steady rate, whatever their answers take; each may be done twice, by its key. */
class Load {
  readonly #agent = new Agent({ keepAlive: true });
  #sent = 0;

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async run(seconds: number): Promise<Run> {
    const run: Run = { tookMs: [], lost: [] };
    const flights: Promise<void>[] = [];
    const startedMs = performance.now();
    while (flights.length < seconds * A_SECOND) {
      const due = Math.floor(((performance.now() - startedMs) / 1_000) * A_SECOND);
      while (flights.length < Math.min(due, seconds * A_SECOND)) flights.push(this.#one(run));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(flights);
    return run;
  }

  async #one(run: Run): Promise<void> {
    this.#sent += 1;
    const body = JSON.stringify({ n: this.#sent, text: 'summarize this, please' });
    const startedMs = performance.now();
    const outcome = await this.#send(body, `key-${this.#sent}`).catch((error: Error) => error.message);
    run.tookMs.push(performance.now() - startedMs);
    if (outcome !== body) run.lost.push(outcome.slice(0, 120));
  }

  #send(body: string, key: string): Promise<string> {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      authorization: `Bearer ${this.token}`,
      'idempotency-key': key,
    };
    return new Promise((resolve, reject) => {
      const timeout = LONGEST_MS;
      const outgoing = request(this.url, { method: 'POST', agent: this.#agent, headers, timeout }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', reject);
        answer.on('end', () => resolve(answer.statusCode === 200 ? text : `${answer.statusCode} ${text}`));
      });
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
      outgoing.end(body);
    });
  }
}

/** What a run costs a process, microseconds of processor time a request. */
async function costOf(pid: number, work: () => Promise<Run>): Promise<{ run: Run; microseconds: number }> {
  const before = cpuMs(pid);
  const run = await work();
  return { run, microseconds: ((cpuMs(pid) - before) * 1_000) / run.tookMs.length };
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function p99(tookMs: readonly number[]): string {
  const sorted = [...tookMs].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN).toFixed(1);
}
