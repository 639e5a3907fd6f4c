import { fork } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { SpawnedPlatform } from '../../test/support/spawned-platform.ts';
import type { Figure } from '../figure.ts';
import type { Seed, SeededOrder } from './seeded-agent.ts';
import { seedsOf } from './seeds.ts';

/** Thresholds were set by the agents of `--set 1` and `--set 2`; those of 3 were not looked at before. */
const JUDGED_SET = 3;
const SECONDS = 10;
/** As many at once as leave two processors their time. */
const ABREAST = { busy: 1, waiting: 5 };

/** Forty agents in processes of their own at a platform: which of the twenty faults are named right, and how many of the healthy are blamed. */
export async function bottleneckFigures(): Promise<Figure[]> {
  const at = process.argv.indexOf('--set');
  const seeds = seedsOf(at < 0 ? JUDGED_SET : Number(process.argv[at + 1]));
  const platform = new SpawnedPlatform(['--no-demo']);
  const dependency = await openDependency();
  try {
    await platform.start();
    const isBusy = ({ fault }: Seed) => fault === 'CPU' || fault === 'GC';
    const found = [
      ...(await inTurn(seeds.filter(isBusy), ABREAST.busy, (seed) => watched(platform, dependency, seed))),
      ...(await inTurn(
        seeds.filter((seed) => !isBusy(seed)),
        ABREAST.waiting,
        (seed) => watched(platform, dependency, seed),
      )),
    ];
    const faulty = found.filter(({ seed }) => seed.fault !== null);
    const right = faulty.filter(({ seed, kind }) => kind === seed.fault);
    const blamed = found.filter(({ seed, kind }) => seed.fault === null && kind !== null);
    return [
      {
        promise: 'bottlenecks named right',
        measured: `${right.length} of ${faulty.length}`,
        against: '18',
        ratio: (right.length / 18).toFixed(2),
      },
      {
        promise: 'healthy agents blamed',
        measured: `${blamed.length} of ${found.length - faulty.length}`,
        against: '0',
        ratio: '',
      },
    ];
  } finally {
    dependency.closeAllConnections();
    dependency.close();
    await platform.stop();
    platform.remove();
  }
}

interface Worked {
  id: string;
  from: string;
  to: string;
}

interface Found {
  seed: Seed;
  kind: string | null;
}

/** Lets an agent work for a while, and asks what keeps it from being faster. What was missed is told. */
async function watched(platform: SpawnedPlatform, dependency: Server, seed: Seed): Promise<Found> {
  const child = fork(path.join(__dirname, 'seeded-agent.js'), { execArgv: ['--enable-source-maps'] });
  const ended = new Promise<Worked>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Worked));
    child.once('exit', () => reject(new Error(`${seed.name} ended before it had worked`)));
  });
  const { url, token } = platform;
  const { port } = dependency.address() as AddressInfo;
  const order: SeededOrder = { url, token, dependency: `http://127.0.0.1:${port}`, seconds: SECONDS, seed };
  child.send(order);
  // Until it had sent all it rested: the stretch in which it worked is looked at.
  const worked = await ended;
  const bottleneck = await found(platform, worked);
  const isRight = bottleneck.kind === seed.fault;
  if (!isRight || process.argv.includes('--all'))
    console.error(`${isRight ? 'right' : 'WRONG'} ${JSON.stringify(seed)}\n  ${JSON.stringify(bottleneck)}`);
  return { seed, kind: bottleneck.kind };
}

/** A platform that is short of time on a busy machine is asked again. */
async function found(platform: SpawnedPlatform, { id, from, to }: Worked) {
  for (let tries = 0; ; tries++) {
    const { data, errors } = await platform.ask(
      'query ($id: ID!, $range: TimeRange) { agent(id: $id) { bottleneck(range: $range) { kind confidence reason tasks evidence { what value bound } } } }',
      { id, range: { from, to } },
    );
    if (!errors) return data.agent.bottleneck;
    if (tries === 5) throw new Error(JSON.stringify(errors));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** A server that answers after as many milliseconds as it is asked to. */
async function openDependency(): Promise<Server> {
  const server = createServer((request, response) => {
    const ms = Number(new URL(request.url ?? '/', 'http://dependency').searchParams.get('ms'));
    setTimeout(() => response.end('{}'), ms);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Does all, so many at a time. */
async function inTurn<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as Item);
  };
  await Promise.all(Array.from({ length: most }, worker));
  return results;
}
