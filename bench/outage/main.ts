import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { Agent, request } from 'undici';
import type { Bench, Figure } from '../figure.ts';
import { startRouter, supergraphFile } from '../measured-router.ts';
import type { Health } from './subgraph.ts';

const ROUNDS = 8;
const ROUND_MS = 3_500;
/** Requests a second to the subgraph that is well, and to the one that is not always. */
const RATES = { land: 40, sea: 10 } as const;
const TICK_MS = 2;
/** Rounds of `well` stand on both sides of each outage, so that a machine that grows slower does so for all. */
const HEALTHS: readonly Health[] = ['well', 'hung', 'well', 'dead'];
const sdlOf = (field: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { ${field}(n: Int): String }`;

/** What was measured while the sea was as it was, milliseconds. */
interface Times {
  land: number[];
  /** Of those who asked for the sea and were refused. */
  refused: number[];
  /** Land's requests that were not answered whole. */
  lost: number;
}

/** What the others notice while one subgraph hangs, or is dead: rounds of each, turn about. */
export const outageBench: Bench = {
  name: 'outage',
  async run() {
    const children: ChildProcess[] = [];
    try {
      const [land, sea] = [await subgraph(children), await subgraph(children)];
      const supergraph = supergraphFile([
        { name: 'land', url: land.url, sdl: sdlOf('land') },
        { name: 'sea', url: sea.url, sdl: sdlOf('sea') },
      ]);
      const url = await startRouter(supergraph, {}, children);
      const times: Record<Health, Times> = { well: noTimes(), hung: noTimes(), dead: noTimes() };
      await load(url, noTimes());
      for (let round = 0; round < ROUNDS; round++) {
        for (const health of HEALTHS) {
          await sea.become(health);
          await load(url, times[health]);
        }
      }
      return [beside('hangs', times.hung, times.well), beside('is dead', times.dead, times.well), refusals(times)];
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  },
};

async function subgraph(children: ChildProcess[]) {
  const child = fork(path.join(__dirname, 'subgraph.js'));
  children.push(child);
  const told = () => new Promise<unknown>((resolve) => child.once('message', resolve));
  const port = await told();
  const become = async (health: Health) => {
    const done = told();
    child.send(health);
    await done;
  };
  return { url: `http://127.0.0.1:${port}/graphql`, become };
}

function noTimes(): Times {
  return { land: [], refused: [], lost: 0 };
}

/** One round: requests come at their rate, whatever becomes of earlier ones; what the sea holds back is not waited for. */
async function load(url: string, times: Times): Promise<void> {
  const agent = new Agent({ connections: 512, pipelining: 1 });
  const asked: Promise<void>[] = [];
  const beganMs = performance.now();
  const counts = { land: 0, sea: 0 };
  for (let passedMs = 0; passedMs < ROUND_MS; passedMs = performance.now() - beganMs) {
    for (const field of ['land', 'sea'] as const) {
      for (; counts[field] < (passedMs / 1_000) * RATES[field]; counts[field] += 1) {
        const flight = ask(agent, url, field, counts[field], times).catch(() => undefined);
        if (field === 'land') asked.push(flight);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(asked);
  await agent.destroy();
}

async function ask(agent: Agent, url: string, field: 'land' | 'sea', n: number, times: Times): Promise<void> {
  const startedMs = performance.now();
  const { body } = await request(`${url}/graphql`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: `query ($n: Int) { ${field}(n: $n) }`, variables: { n } }),
  });
  const text = await body.text();
  const tookMs = performance.now() - startedMs;
  if (field === 'sea') {
    // Whoever reached it waits for its time limit, or is torn from it.
    if (text.includes('resting after failures')) times.refused.push(tookMs);
  } else if (text.includes('"ho"')) times.land.push(tookMs);
  else times.lost += 1;
}

function beside(what: string, ill: Times, well: Times): Figure {
  const [illMs, wellMs] = [p99(ill.land), p99(well.land)];
  return {
    promise: `the others' p99 while one ${what} (${ill.lost} lost)`,
    measured: `${illMs.toFixed(1)} ms`,
    against: `well ${wellMs.toFixed(1)} ms`,
    ratio: `${(100 * (illMs / wellMs - 1)).toFixed(0)} % (≤ 5 %)`,
  };
}

/** From the client's request to its answer, over HTTP. */
function refusals({ hung, dead }: Record<Health, Times>): Figure {
  const all = [...hung.refused, ...dead.refused];
  return {
    promise: `refused while open, p99 of ${all.length} (≤ 5 ms)`,
    measured: `${p99(all).toFixed(1)} ms`,
    against: `p50 ${at(all, 0.5).toFixed(1)} ms`,
    ratio: '',
  };
}

function p99(values: number[]): number {
  return at(values, 0.99);
}

function at(values: number[], share: number): number {
  values.sort((one, other) => one - other);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
