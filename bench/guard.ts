import { Worker } from 'node:worker_threads';
import type { Call } from '../lib/call/signing.ts';
import { systemClock } from '../lib/clock.ts';
import { readGraphAnswer } from '../router/guard/answer.ts';
import { GUARD_LIMITS, Guard, type GuardLimits } from '../router/guard/guard.ts';
import { plainWire, type Wire } from '../router/wire/wire.ts';
import { type Bench, type Figure, median } from './figure.ts';

const CALL: Call = {
  principal: { id: 'bench', kind: 'SCRIPT', name: 'bench', scopes: [] },
  requestId: 'bench',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
};
const REQUEST = { query: 'query ($id: ID!) { ship(id: $id) { name } }', variables: { id: '1' } };
const ROUNDS = 5;
const CALLS = 100_000;
const BODY = Buffer.from('{"data":{"ship":{"name":"Argo"}}}');

/** What guarding costs: per call, per refusal, and in goodput under many callers. */
export const guardBench: Bench = {
  name: 'guard',
  async run() {
    return [await callCost(1), await callCost(3), await refusalCost(), ...(await goodput(2)), ...(await goodput(40))];
  },
};

function guardOf(wireOf: (url: string) => Wire, urls: readonly string[], limits: Partial<GuardLimits> = {}): Guard {
  const unlimited = { limitPerSecond: Number.POSITIVE_INFINITY };
  const guard = new Guard({
    wireOf: (_subgraph, url) => wireOf(url),
    limits: { ...GUARD_LIMITS, ...unlimited, ...limits },
    clock: systemClock,
  });
  guard.setReplicas('sea', urls);
  return guard;
}

/** A wire that answers at once, so that nothing but the guard is measured. */
function stillWire(url: string): Wire {
  const answer = Promise.resolve({ status: 200, contentType: 'application/json', body: BODY });
  return {
    url,
    send: () => answer,
    open: () => Promise.reject(new Error('there are no streams here')),
    close: () => undefined,
  };
}

/** CPU of one call, microseconds. */
async function cpuOf(call: () => Promise<unknown>): Promise<number> {
  const from = process.cpuUsage();
  for (let time = 0; time < CALLS; time++) await call();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / CALLS;
}

async function callCost(replicas: number): Promise<Figure> {
  const urls = Array.from({ length: replicas }, (_, index) => `http://127.0.0.1:${index + 1}/graphql`);
  const guard = guardOf(stillWire, urls);
  const wire = stillWire('http://127.0.0.1:1/graphql');
  const bare = async () =>
    readGraphAnswer(
      await wire.send({ body: JSON.stringify(REQUEST), call: CALL, timeoutMs: 1_000, maxBytes: 10_000_000 }),
    );
  const guarded: number[] = [];
  const unguarded: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    unguarded.push(await cpuOf(bare));
    guarded.push(await cpuOf(() => guard.execute('sea', REQUEST, CALL)));
  }
  guard.close();
  const costUs = median(guarded) - median(unguarded);
  return {
    promise: `guarding a call, ${replicas} replica(s), CPU`,
    measured: `${costUs.toFixed(2)} µs`,
    against: `bare ${median(unguarded).toFixed(2)} µs`,
    ratio: costUs <= 5 ? 'ok' : 'over 5 µs',
  };
}

async function refusalCost(): Promise<Figure> {
  const guard = guardOf(stillWire, ['http://127.0.0.1:1/graphql']);
  guard.circuits.get('sea')?.force('OPEN', 'to be measured');
  const took: number[] = [];
  for (let time = 0; time < 20_000; time++) {
    const startedMs = performance.now();
    await guard.execute('sea', REQUEST, CALL).catch(() => took.push(performance.now() - startedMs));
  }
  guard.close();
  took.sort((a, b) => a - b);
  const p99Us = 1_000 * (took[Math.floor(took.length * 0.99)] ?? Number.NaN);
  return {
    promise: 'a refusal while open, p99',
    measured: `${p99Us.toFixed(0)} µs`,
    against: `median ${(1_000 * median(took)).toFixed(0)} µs`,
    ratio: p99Us <= 5_000 ? 'ok' : 'over 5 ms',
  };
}

/** A subgraph in a thread of its own that answers each call after so many milliseconds, any number at a time. */
const SUBGRAPH = `
const { parentPort, workerData } = require('node:worker_threads');
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  request.resume().on('end', () => setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end('{"data":{"ship":{"name":"Argo"}}}');
  }, workerData));
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const CALLERS = 500;
const FOR_MS = 3_000;

/** Answers a second with 500 callers, each of whom asks again as soon as he is answered. */
async function answersPerSecond(
  url: string,
  limits: Partial<GuardLimits>,
): Promise<{ perSecond: number; lost: number }> {
  const guard = guardOf(plainWire, [url], limits);
  let answered = 0;
  let lost = 0;
  const untilMs = performance.now() + FOR_MS;
  const caller = async () => {
    while (performance.now() < untilMs) {
      await guard.execute('sea', REQUEST, CALL).then(
        () => answered++,
        () => lost++,
      );
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  guard.close();
  return { perSecond: Math.round((1_000 * answered) / FOR_MS), lost };
}

async function goodput(tookMs: number): Promise<Figure[]> {
  const worker = new Worker(SUBGRAPH, { eval: true, workerData: tookMs });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const url = `http://127.0.0.1:${port}/graphql`;
  const open = { bulkhead: { ...GUARD_LIMITS.bulkhead, initial: 100_000, most: 100_000 } };
  const held: number[] = [];
  const free: number[] = [];
  let lost = 0;
  for (let round = 0; round < 3; round++) {
    free.push((await answersPerSecond(url, open)).perSecond);
    const guarded = await answersPerSecond(url, {});
    held.push(guarded.perSecond);
    lost += guarded.lost;
  }
  await worker.terminate();
  const ratio = median(held) / median(free);
  return [
    {
      promise: `goodput, ${CALLERS} callers, ${tookMs} ms a call (lost ${lost})`,
      measured: `${median(held)}/s`,
      against: `no bulkhead ${median(free)}/s`,
      ratio: ratio.toFixed(2),
    },
  ];
}
