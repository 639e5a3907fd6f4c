import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import autocannon from 'autocannon';
import { freePort } from '../../lib/postgres/local.ts';
import { composeSupergraph } from '../../router/compose.ts';
import { type Bench, type Figure, median } from '../figure.ts';
import { SDL } from './subgraphs.ts';

const QUERIES: Record<string, string> = {
  small: 'query ($n: Int!) { items(first: $n) { id name } }',
  mid: 'query ($n: Int!) { items(first: $n) { id name note owner { name } related { name owner { name } } } }',
  big: 'query ($n: Int!) { items(first: $n) { id name note owner { name bio } related { name note owner { name bio } } } }',
};
const ROWS: Record<string, number> = { small: 5, mid: 10, big: 150 };
const ROUNDS = 3;
const SECONDS = 4;
const TICKS_A_SECOND = 100;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpuMs: number;
}

/** Requests a second, processor time a request and p99, against the stock gateway on the same subgraphs, in turn. */
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
    const ours = await start(path.join(__dirname, '../../router/main.js'), supergraph);
    const stock = await start(path.join(__dirname, 'stock.js'), supergraph);
    try {
      const figures: Figure[] = [];
      for (const size of Object.keys(QUERIES)) figures.push(...(await compare(size, ours, stock)));
      return figures;
    } finally {
      for (const child of [ours.child, stock.child, subgraphs]) child.kill('SIGKILL');
    }
  },
};

interface Target {
  child: ChildProcess;
  url: string;
}

async function start(script: string, supergraph: string): Promise<Target> {
  const port = await freePort();
  const env = {
    ...process.env,
    SUPERGRAPH_PATH: supergraph,
    PORT: String(port),
    NODE_ENV: 'production',
    ROUTER_MODE: 'bench',
  };
  const child = fork(script, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const url = `http://127.0.0.1:${port}/graphql`;
  for (let tries = 0; ; tries += 1) {
    const answer = await ask(url, '{ __typename }', 0).catch(() => undefined);
    if (answer?.includes('Query')) return { child, url };
    if (tries > 200) throw new Error(`${script} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ask(url: string, query: string, n: number): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { n } }),
  });
  return await response.text();
}

async function compare(size: string, ours: Target, stock: Target): Promise<Figure[]> {
  const query = QUERIES[size] as string;
  const [mine, theirs] = [await ask(ours.url, query, 7), await ask(stock.url, query, 7)];
  if (JSON.parse(mine).errors) throw new Error(`${size}: ${mine.slice(0, 300)}`);
  if (JSON.stringify(JSON.parse(mine).data) !== JSON.stringify(JSON.parse(theirs).data))
    throw new Error(`${size}: the answers differ: ${mine.slice(0, 200)}`);
  const samples: Record<'ours' | 'stock', Sample[]> = { ours: [], stock: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    samples.ours.push(await load(ours, query, ROWS[size] as number));
    samples.stock.push(await load(stock, query, ROWS[size] as number));
  }
  const of = (who: 'ours' | 'stock', what: keyof Sample) => median(samples[who].map((sample) => sample[what]));
  const figure = (what: keyof Sample, unit: string, more: boolean): Figure => {
    const [a, b] = [of('ours', what), of('stock', what)];
    return {
      promise: `router ${size}: ${unit}`,
      measured: a.toFixed(2),
      against: `${b.toFixed(2)} stock`,
      ratio: `${(more ? a / b : b / a).toFixed(1)} ×`,
    };
  };
  return [
    figure('perSecond', 'requests/s', true),
    figure('cpuMs', 'CPU ms a request', false),
    figure('p99Ms', 'p99 ms', false),
  ];
}

async function load({ child, url }: Target, query: string, rows: number): Promise<Sample> {
  const before = cpuMs(child);
  let turn = 0;
  const result = await autocannon({
    url,
    connections: 50,
    duration: SECONDS,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        // Varied variables: no cache may answer.
        setupRequest: (request) => {
          turn += 1;
          return { ...request, body: JSON.stringify({ query, variables: { n: rows + (turn % 5) } }) };
        },
      },
    ],
  });
  if (result.non2xx || result.errors)
    throw new Error(`${result.non2xx} refused, ${result.errors} failed: nothing was measured`);
  return {
    perSecond: result.requests.average,
    p99Ms: result.latency.p99,
    cpuMs: (cpuMs(child) - before) / result.requests.total,
  };
}

/** Processor time of a process so far, milliseconds (Linux counts it in hundredths of a second). */
function cpuMs(child: ChildProcess): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
}
