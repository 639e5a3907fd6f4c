import { fixedFlags } from '../../lib/flags/index.ts';
import { lightSdl, openLighthouse, watch } from '../router/schema/support.ts';
import { until } from '../support/until.ts';

const STREAMS = 8;
const ASKERS = 6;
const WARM = 10;

/** What one run of swaps came to; the child prints it as JSON. */
export interface SwapsFigures {
  swaps: number;
  requests: number;
  failed: number;
  flashes: number;
  /** Streams that ended, or got anything but each flash once and in order. */
  broken: number;
  /** After collection, before and after the swaps that count, bytes. */
  heapBefore: number;
  heapAfter: number;
  rssBefore: number;
  rssAfter: number;
}

/** Many swaps of a router under continuous load, in a process of its own: `node --expose-gc swaps-load.js <swaps>`. */
async function main(swaps: number): Promise<SwapsFigures> {
  const house = await openLighthouse({ schema: { canary: { share: 0 } }, flags: fixedFlags({}) });
  const streams = await Promise.all(
    Array.from({ length: STREAMS }, () => watch(house.router.url, 'subscription { flashed { cursor number } }')),
  );
  let isOver = false;
  let requests = 0;
  let failed = 0;
  const asker = async () => {
    for (let at = 0; !isOver; at++) {
      const answer = await house.ask(`query Q${at % 5} { light }`).catch(() => ({ status: 0 }));
      requests += 1;
      if (answer.status !== 200 || 'errors' in answer) failed += 1;
    }
  };
  const asking = Promise.all(Array.from({ length: ASKERS }, asker));
  const swap = async (at: number) => {
    const state = await house.router.schema.propose(
      // Grown by as much each time: what stays the same in size must stay the same in memory.
      { supergraphSdl: house.supergraph(lightSdl(`f${at % 10}: Int g${at % 10}: String`)) },
      { from: 'test' },
    );
    if (state.phase !== 'CURRENT') throw new Error(`swap ${at}: ${JSON.stringify(state)}`);
    house.flash();
    await until(() => streams.every(({ answers, ended }) => ended || answers.length === house.flashed));
  };
  for (let at = 0; at < WARM; at++) await swap(at);
  const before = await collected();
  for (let at = 0; at < swaps; at++) await swap(at);
  const after = await collected();
  isOver = true;
  await asking;
  const broken = streams.filter(
    ({ ended, answers }) => ended || answers.some(({ data }, at) => data?.flashed.number !== at + 1),
  ).length;
  for (const stream of streams) stream.leave();
  await house.stop();
  return {
    swaps,
    requests,
    failed,
    flashes: house.flashed,
    broken,
    heapBefore: before.heapUsed + before.external,
    heapAfter: after.heapUsed + after.external,
    rssBefore: before.rss,
    rssAfter: after.rss,
  };
}

/** Memory once what is unused is gone, native objects too: they go in turns of the loop after their holders. */
async function collected(): Promise<NodeJS.MemoryUsage> {
  for (let round = 0; round < 6; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage();
}

if (require.main === module) {
  void main(Number(process.argv[2])).then(
    (figures) => {
      process.stdout.write(`${JSON.stringify(figures)}\n`);
      process.exit(0);
    },
    (error: Error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  );
}
