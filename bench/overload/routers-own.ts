import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Figure } from '../figure.ts';
import { startRouter, supergraphFile } from '../measured-router.ts';
import { bodyOf, type LoadOrder, type LoadResult } from '../router/load.ts';
import { QUERIES, SDL } from '../router/subgraphs.ts';
import { type LoadFigures, load } from './load.ts';

const SECONDS = 8;
const CONNECTIONS = 20;
const { query, rows } = QUERIES['big'] as (typeof QUERIES)[string];

/** What becomes of each kind of caller when it is the router itself that cannot do more: large answers, subgraphs that cost next to nothing. */
export async function routersOwn(): Promise<Figure[]> {
  const subgraphs = fork(path.join(__dirname, '../router/subgraphs.js'));
  const loader = fork(path.join(__dirname, '../router/load.js'));
  const children: ChildProcess[] = [subgraphs, loader];
  try {
    const urls = await new Promise<Record<string, string>>((resolve) =>
      subgraphs.once('message', (message) => resolve(message as Record<string, string>)),
    );
    const sources = Object.entries(SDL).map(([name, sdl]) => ({ name, sdl, url: urls[name] as string }));
    const router = await startRouter(supergraphFile(sources), {}, children);
    const closed = (seconds: number) => {
      const order: LoadOrder = {
        port: Number(new URL(router).port),
        path: '/graphql',
        query,
        rows,
        connections: CONNECTIONS,
        seconds,
      };
      return new Promise<LoadResult>((resolve) => {
        loader.once('message', (result) => resolve(result as LoadResult));
        loader.send(order);
      });
    };
    await closed(2);
    // As many as it answers to those who wait for their answer before they ask again.
    const { perSecond: peak } = await closed(SECONDS);
    const ask = (times: number) => load(router, times * peak, SECONDS, { bodyOf: () => bodyOf(query, rows) });
    const [tripled, tenfold] = [await ask(3), await ask(10)];
    return [figure('3', tripled, peak), figure('10', tenfold, peak)];
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function figure(times: string, { goodput, p99, served, sent }: LoadFigures, peak: number): Figure {
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return {
    promise: `the router's own processor at ${times} ×: goodput (≥ 90 %), on call p99`,
    measured: `${goodput.toFixed(0)} /s, ${p99['on-call'].toFixed(0)} ms`,
    against: `peak ${peak.toFixed(0)} /s`,
    ratio: `${percent(goodput / peak)}; served ${percent(served['on-call'])} / ${percent(served.script)} / ${percent(served.dashboard)} of ${sent}`,
  };
}
