import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../lib/postgres/local.ts';
import { composeSupergraph } from '../router/compose.ts';
import { type Bench, type Figure, median } from './figure.ts';
import type { LoadOrder, LoadResult } from './router/load.ts';
import { QUERIES, SDL } from './router/subgraphs.ts';

/** Many short rounds: the machine changes within seconds. */
const ROUNDS = 24;
const SECONDS = 0.6;
/** Nothing recorded twice: how far two equal routers are apart is what a difference must exceed to mean anything. */
const RATIOS = [0, 0, 0.1, 1];
const CONNECTIONS = 20;

interface Target {
  ratio: number;
  child: ChildProcess;
  port: number;
}

/** Processor time a request, with a tenth and with all requests recorded and exported, against none, in turn. */
export const tracingBench: Bench = {
  name: 'tracing',
  async run() {
    const collector = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end('{}'));
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
    const subgraphs = fork(path.join(__dirname, 'router', 'subgraphs.js'));
    const addresses = await new Promise<Record<string, string>>((resolve) =>
      subgraphs.once('message', (message) => resolve(message as Record<string, string>)),
    );
    const supergraph = path.join(mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-')), 'supergraph.graphql');
    const sources = Object.entries(SDL).map(([name, sdl]) => ({ name, sdl, url: addresses[name] as string }));
    writeFileSync(supergraph, composeSupergraph(sources));
    const loader = fork(path.join(__dirname, 'router', 'load.js'));
    const targets = await Promise.all(RATIOS.map((ratio) => start(ratio, supergraph, endpoint)));
    try {
      const figures: Figure[] = [];
      for (const size of ['small', 'mid']) figures.push(...(await compare(size, targets, loader)));
      return figures;
    } finally {
      for (const child of [...targets.map(({ child }) => child), loader, subgraphs]) child.kill('SIGKILL');
      collector.closeAllConnections();
      collector.close();
    }
  },
};

async function start(ratio: number, supergraph: string, endpoint: string): Promise<Target> {
  const port = await freePort();
  const env = {
    ...process.env,
    SUPERGRAPH_PATH: supergraph,
    PORT: String(port),
    NODE_ENV: 'production',
    // Measured modes record nothing; so its rates are lifted one by one.
    FLEET_ADMIN_RPS: '1000000',
    FLEET_CLIENT_RPS: '1000000',
    FLEET_SUBGRAPH_RPS: '1000000',
    FLEET_TRACE_RATIO: String(ratio),
    FLEET_OTLP_ENDPOINT: endpoint,
  };
  const script = path.join(__dirname, '..', 'router', 'main.js');
  // As its users start it: no channel to a parent.
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (answer?.status === 200) return { ratio, child, port };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the router does not answer');
}

async function compare(size: string, targets: Target[], loader: ChildProcess): Promise<Figure[]> {
  const costs = targets.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, target] of targets.entries()) costs[at]?.push(await measure(target, size, loader));
  }
  const [none, ...others] = costs as [number[], ...number[][]];
  return others.map((cost, at) => {
    // Round by round: what the machine does besides changes from one to the next.
    const more = 100 * (median(cost.map((each, round) => each / (none[round] as number))) - 1);
    return {
      promise: `tracing ${size}: CPU ms a request, ${(RATIOS[at + 1] as number) * 100} % recorded`,
      measured: median(cost).toFixed(3),
      against: `${median(none).toFixed(3)} none`,
      ratio: `${more < 0 ? '' : '+'}${more.toFixed(1)} %`,
    };
  });
}

async function measure({ child, port }: Target, size: string, loader: ChildProcess): Promise<number> {
  const { query, rows } = QUERIES[size] as (typeof QUERIES)[string];
  const run = (seconds: number) => {
    const order: LoadOrder = { port, path: '/graphql', query, rows, connections: CONNECTIONS, seconds };
    return new Promise<LoadResult>((resolve) => {
      loader.once('message', (result) => resolve(result as LoadResult));
      loader.send(order);
    });
  };
  await run(0.1);
  const beforeMs = cpuMs(child);
  const { requests, failed } = await run(SECONDS);
  if (failed) throw new Error(`${failed} requests failed: nothing was measured`);
  return (cpuMs(child) - beforeMs) / requests;
}

/** Processor time of all threads of a process, to the nanosecond: ticks of 10 ms would be a tenth of a round. */
function cpuMs({ pid }: ChildProcess): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanos = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanos.reduce((sum, each) => sum + each, 0) / 1e6;
}
