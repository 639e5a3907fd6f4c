import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../lib/postgres/local.ts';
import { composeSupergraph } from '../../router/compose.ts';
import { type Bench, type Figure, median } from '../figure.ts';
import { bodyOf, type LoadOrder, type LoadResult } from './load.ts';
import { hiveArguments, hiveGateway } from './rivals.ts';
import { QUERIES, SDL } from './subgraphs.ts';

const ROUNDS = 3;
const SECONDS = 4;
const WARM_SECONDS = 1;
const CONNECTIONS = 50;
const TICKS_A_SECOND = 100;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpuMs: number;
  memoryMb: number;
}

/** Requests a second, processor time, p99 and memory, against the stock gateway and Hive Gateway on the same subgraphs, in turn. */
export const routerBench: Bench = {
  name: 'router',
  async run() {
    const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-bench-'));
    const subgraphs = fork(path.join(__dirname, 'subgraphs.js'));
    const addresses = await new Promise<Record<string, string>>((resolve) =>
      subgraphs.once('message', (message) => resolve(message as Record<string, string>)),
    );
    const supergraph = path.join(folder, 'supergraph.graphql');
    const sources = Object.entries(SDL).map(([name, sdl]) => ({ name, sdl, url: addresses[name] as string }));
    writeFileSync(supergraph, composeSupergraph(sources));
    const loader = fork(path.join(__dirname, 'load.js'));
    const targets = [
      await start('ours', path.join(__dirname, '../../router/main.js'), supergraph),
      await start('stock', path.join(__dirname, 'stock.js'), supergraph),
    ];
    const hive = hiveGateway();
    if (hive) targets.push(await start('hive', hive, supergraph, hiveArguments));
    try {
      const figures: Figure[] = [];
      for (const size of Object.keys(QUERIES)) figures.push(...(await compare(size, targets, loader)));
      return figures;
    } finally {
      for (const child of [...targets.map(({ child }) => child), loader, subgraphs]) child.kill('SIGKILL');
    }
  },
};

interface Target {
  name: string;
  child: ChildProcess;
  port: number;
}

async function start(
  name: string,
  script: string,
  supergraph: string,
  argumentsOf: (supergraph: string, port: number) => string[] = () => [],
): Promise<Target> {
  const port = await freePort();
  const env = {
    ...process.env,
    SUPERGRAPH_PATH: supergraph,
    PORT: String(port),
    NODE_ENV: 'production',
    ROUTER_MODE: 'bench',
  };
  // As its users start it: no channel to a parent, no arguments of node.
  const child = spawn(process.execPath, [script, ...argumentsOf(supergraph, port)], { env, stdio: 'ignore' });
  const target = { name, child, port };
  for (let tries = 0; ; tries += 1) {
    const answer = await ask(target, JSON.stringify({ query: '{ __typename }' })).catch(() => undefined);
    if (answer?.includes('Query')) return target;
    if (tries > 600) throw new Error(`${script} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask({ port }: Target, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return await response.text();
}

async function compare(size: string, targets: Target[], loader: ChildProcess): Promise<Figure[]> {
  const { query, rows } = QUERIES[size] as (typeof QUERIES)[string];
  const body = bodyOf(query, rows);
  const [first, ...others] = await Promise.all(targets.map((target) => ask(target, body)));
  const mine = JSON.parse(first as string);
  if (mine.errors) throw new Error(`${size}: ${first?.slice(0, 300)}`);
  for (const [at, other] of others.entries()) {
    if (JSON.stringify(JSON.parse(other).data) !== JSON.stringify(mine.data))
      throw new Error(`${size}: ${targets[at + 1]?.name} answers otherwise: ${other.slice(0, 200)}`);
  }
  const samples = new Map(targets.map(({ name }) => [name, [] as Sample[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const target of targets) samples.get(target.name)?.push(await measure(target, query, rows, loader));
  }
  const of = (name: string, what: keyof Sample) =>
    median((samples.get(name) as Sample[]).map((sample) => sample[what]));
  return targets.slice(1).flatMap(({ name }) =>
    WANTED.map(({ what, unit, isMore }): Figure => {
      const [a, b] = [of(targets[0]?.name as string, what), of(name, what)];
      return {
        promise: `router ${size}: ${unit}`,
        measured: a.toFixed(2),
        against: `${b.toFixed(2)} ${name}`,
        ratio: `${(isMore ? a / b : b / a).toFixed(1)} ×`,
      };
    }),
  );
}

const WANTED: { what: keyof Sample; unit: string; isMore: boolean }[] = [
  { what: 'perSecond', unit: 'requests/s', isMore: true },
  { what: 'cpuMs', unit: 'CPU ms a request', isMore: false },
  { what: 'p99Ms', unit: 'p99 ms', isMore: false },
  { what: 'memoryMb', unit: 'memory MB', isMore: false },
];

async function measure(
  { name, child, port }: Target,
  query: string,
  rows: number,
  loader: ChildProcess,
): Promise<Sample> {
  const run = (seconds: number) => {
    const order: LoadOrder = { port, path: '/graphql', query, rows, connections: CONNECTIONS, seconds };
    return new Promise<LoadResult>((resolve) => {
      loader.once('message', (result) => resolve(result as LoadResult));
      loader.send(order);
    });
  };
  await run(WARM_SECONDS);
  const before = cpuMs(child);
  const result = await run(SECONDS);
  if (result.failed) throw new Error(`${name}: ${result.failed} failed: nothing was measured`);
  const { perSecond, p99Ms, requests } = result;
  return { perSecond, p99Ms, cpuMs: (cpuMs(child) - before) / requests, memoryMb: memoryMb(child) };
}

/** Processor time of a process and its children so far, milliseconds (Linux counts it in hundredths of a second). */
function cpuMs(child: ChildProcess): number {
  return sumOf(treeOf(child.pid as number), (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
  });
}

/**
 * Memory of a process and its children, megabytes: what is each one's own, and once what is read from files, which is the
 * same program for all of them.
 */
function memoryMb(child: ChildProcess): number {
  const pids = treeOf(child.pid as number);
  const part = (pid: number, name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1_024;
  return sumOf(pids, (pid) => part(pid, 'RssAnon')) + Math.max(...pids.map((pid) => part(pid, 'RssFile')));
}

/** A process and all that it started. */
function treeOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

function sumOf(pids: readonly number[], figureOf: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + figureOf(pid), 0);
}
