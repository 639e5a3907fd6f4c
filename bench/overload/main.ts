import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Bench, Figure } from '../figure.ts';
import { startRouter, supergraphFile } from '../measured-router.ts';
import { type LoadFigures, load } from './load.ts';
import { routersOwn } from './routers-own.ts';
import { SERVICE_MS, WORKERS } from './subgraph.ts';

const CAPACITY = (WORKERS / SERVICE_MS) * 1_000;
const SECONDS = 8;
const SDL = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { hello(n: Int): String }';

/** What becomes of each kind of caller when more is asked than can be done, with the queue and without it. */
export const overloadBench: Bench = {
  name: 'overload',
  async run() {
    const subgraph = fork(path.join(__dirname, 'subgraph.js'));
    const port = await new Promise<number>((resolve) => subgraph.once('message', (told) => resolve(told as number)));
    const url = `http://127.0.0.1:${port}/graphql`;
    const supergraph = supergraphFile([{ name: 'hello', url, sdl: SDL }]);
    const routerOf = (inFlight: number) => startRouter(supergraph, { FLEET_MAX_IN_FLIGHT: String(inFlight) }, children);
    const children: ChildProcess[] = [subgraph];
    try {
      const router = await routerOf(WORKERS);
      await load(router, CAPACITY / 2, 2);
      const idle = await load(router, CAPACITY / 10, 3 * SECONDS, { mix: { 'on-call': 1 } });
      const full = await load(router, CAPACITY, SECONDS);
      const half = await load(router, 1.5 * CAPACITY, SECONDS);
      const tripled = await load(router, 3 * CAPACITY, 3 * SECONDS);
      const tenfold = await load(router, 10 * CAPACITY, SECONDS);
      const unguarded = await routerOf(100_000);
      const crushed = await load(unguarded, 3 * CAPACITY, SECONDS);
      const peak = Math.max(...[full, half, tripled, tenfold, crushed].map(({ goodput }) => goodput));
      return [...figures({ idle, peak, tripled, tenfold, crushed }), ...(await routersOwn())];
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  },
};

interface Runs {
  idle: LoadFigures;
  /** Goodput at the best of all loads, answers a second. */
  peak: number;
  tripled: LoadFigures;
  tenfold: LoadFigures;
  crushed: LoadFigures;
}

const ms = (value: number) => (Number.isNaN(value) ? 'none' : `${value.toFixed(1)} ms`);
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function figures({ idle, peak, tripled, tenfold, crushed }: Runs): Figure[] {
  const quiet = idle.p99['on-call'];
  const served = ({ served }: LoadFigures) =>
    `${percent(served['on-call'])} / ${percent(served.script)} / ${percent(served.dashboard)}`;
  return [
    {
      promise: 'on call, p99 at 3 × load (≤ 2 × idle)',
      measured: ms(tripled.p99['on-call']),
      against: `idle ${ms(quiet)}`,
      ratio: `${(tripled.p99['on-call'] / quiet).toFixed(2)} ×`,
    },
    {
      promise: 'its p99 without the queue',
      measured: ms(crushed.p99['on-call']),
      against: `idle ${ms(quiet)}`,
      ratio: `${(crushed.p99['on-call'] / quiet).toFixed(2)} ×`,
    },
    {
      promise: 'goodput at 10 × load (≥ 90 % of the peak)',
      measured: `${tenfold.goodput.toFixed(0)} /s`,
      against: `peak ${peak.toFixed(0)} /s`,
      ratio: percent(tenfold.goodput / peak),
    },
    {
      promise: 'goodput at 3 × load',
      measured: `${tripled.goodput.toFixed(0)} /s`,
      against: `peak ${peak.toFixed(0)} /s`,
      ratio: percent(tripled.goodput / peak),
    },
    {
      promise: 'the same without the queue',
      measured: `${crushed.goodput.toFixed(0)} /s`,
      against: `peak ${peak.toFixed(0)} /s`,
      ratio: percent(crushed.goodput / peak),
    },
    {
      promise: 'served at 3 ×: on call / scripts / dashboards',
      measured: served(tripled),
      against: `without: ${served(crushed)}`,
      ratio: `${tripled.sent} sent`,
    },
  ];
}
