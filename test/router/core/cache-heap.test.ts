import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createEngine } from '../../../router/core.ts';
import { isRefused } from '../../../router/engine.ts';
import { fleetSupergraph } from './fleet.ts';
import { call, stillClock } from './world.ts';

/** What the caches may hold, bytes. */
const BOUND = 4_000_000;
const AT_ONCE = 40;
const MOST = 4_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

interface Asked {
  query: string;
  variables?: Record<string, unknown>;
}

const times = (count: number, each: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => each(at)).join(' ');
const FLAGS = Array.from({ length: 8 }, (_, at) => `v${at}`);

const newEngine = () =>
  createEngine({
    supergraphSdl: fleetSupergraph,
    caller: { execute: () => Promise.reject(new Error('nobody is there')), subscribe: () => [] as never },
    clock: stillClock,
    cacheBytes: BOUND,
  });

/** Operations of one kind, each unlike all others. */
const KINDS: [string, (n: number) => Asked][] = [
  ['small ones', (n) => ({ query: `{ a${n}: agent(id: "a1") { name } }` })],
  [
    'large ones',
    (n) => ({
      query: `{ ${times(150, (at) => `x${n}_${at}: agent(id: "${at}") { name alerts { title agent { name } } }`)} }`,
    }),
  ],
  ['refused ones', (n) => ({ query: `{ ${times(40, (at) => `wrong${n}_${at}`)} }` })],
  ['unreadable ones', (n) => ({ query: `{ broken${n} ${'x '.repeat(200)}` })],
  ['comments', (n) => ({ query: `{ agents { id } } # ${n} ${'.'.repeat(4_000)}` })],
  ['deep ones', (n) => ({ query: `query Q${n} { ${'alerts { agent { '.repeat(12)} id ${'} } '.repeat(12)} }` })],
  [
    'conditions',
    (n) => ({
      query: `query (${FLAGS.map((name) => `$${name}: Boolean!`).join(' ')}) { n${n >> 8}: agents { ${FLAGS.map((name) => `${name}: name @include(if: $${name})`).join(' ')} } }`,
      variables: Object.fromEntries(FLAGS.map((name, at) => [name, ((n >> at) & 1) === 1])),
    }),
  ],
  [
    'fragments',
    (n) => ({
      query: `{ agents { ...F0 } } ${times(60, (at) => `fragment F${at} on Agent { k${n}_${at}: name ${at < 59 ? `...F${at + 1}` : ''} }`)}`,
    }),
  ],
];

test.each(KINDS)(
  'what is remembered of %s takes no more memory than its bound says',
  async (_, operation) => {
    // What is made once for all is not counted.
    const other = newEngine();
    for (let n = 0; n < 20; n++) await other.prepare(operation(1_000_000 + n));
    const engine = newEngine();
    const size = (of: 'entries' | 'sizeBytes') =>
      Object.values(engine.caches).reduce((sum, cache) => sum + cache[of], 0);
    const before = heapBytes();
    let count = 0;
    for (let last = -1, still = 0; still < 3 && count < MOST; ) {
      for (const end = count + AT_ONCE; count < end; count++) {
        const prepared = await engine.prepare(operation(count));
        // What is made when it first runs is kept with it.
        if (!isRefused(prepared)) await engine.execute(prepared, call);
      }
      still = size('entries') === last ? still + 1 : 0;
      last = size('entries');
    }
    const heldBytes = heapBytes() - before;
    expect(size('entries')).toBeGreaterThan(5);
    expect(size('sizeBytes')).toBeLessThanOrEqual(BOUND);
    expect(heldBytes).toBeLessThan(1.25 * BOUND);
  },
  120_000,
);
