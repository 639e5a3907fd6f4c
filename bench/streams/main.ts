import type { Bench, Figure } from '../figure.ts';
import { herd } from './herd.ts';
import { House, type Router, startRouter, subscribe, used, when } from './house.ts';

const PLAIN = 'subscription ($after: String) { moved(after: $after) { cursor sentMs } }';
const JOINED = 'subscription { moved { cursor sentMs ship { id crew port } } }';
const FAT = 'subscription { moved { cursor sentMs filler } }';
const FILLER = 'x'.repeat(10_000);
const SECONDS = 8;

/** Events to many subscribers, joins to events, and readers that do not read. */
export const streamsBench: Bench = {
  name: 'streams',
  async run() {
    const house = new House();
    await house.listen();
    const router = await startRouter(house.url);
    try {
      return [
        ...(await fanned(house, router, 500, 100)),
        ...(await fanned(house, router, 500, 1_000)),
        ...(await joined(house, router, 500)),
        ...(await unread(house, router, 100)),
        ...(await herd(house, 2_000)),
      ];
    } finally {
      router.child.kill('SIGKILL');
      house.close();
    }
  },
};

interface Passed {
  events: number;
  told: number;
  cpuMs: number;
  p50: number;
  p99: number;
  upstreams: number;
}

/** Runs subscribers at a rate for a while. */
async function passed(
  house: House,
  router: Router,
  query: string,
  subscribers: number,
  perSecond: number,
): Promise<Passed> {
  const lateMs: number[] = [];
  let told = 0;
  const all = Array.from({ length: subscribers }, () =>
    subscribe(router, query, (sentMs) => {
      told += 1;
      // A sample: all of them would be what is measured.
      if (told % 50 === 0) lateMs.push(Date.now() - sentMs);
    }),
  );
  await when(() => house.readers > 0);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const upstreams = house.readers;
  const before = { ...used(router), events: house.events };
  house.start(perSecond);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
  house.stop();
  const events = house.events - before.events;
  await when(() => told >= events * subscribers).catch(() => undefined);
  const cpuMs = used(router).cpuMs - before.cpuMs;
  for (const each of all) each.stop();
  await when(() => house.readers === 0);
  lateMs.sort((a, b) => a - b);
  const at = (share: number) => lateMs[Math.floor(lateMs.length * share)] ?? Number.NaN;
  return { events, told, cpuMs, p50: at(0.5), p99: at(0.99), upstreams };
}

async function fanned(house: House, router: Router, subscribers: number, perSecond: number): Promise<Figure[]> {
  const { events, told, cpuMs, p50, p99, upstreams } = await passed(house, router, PLAIN, subscribers, perSecond);
  const of = `${subscribers} subscribers, ${perSecond} events/s`;
  return [
    { promise: `${of}: late, p99`, measured: `${p99} ms`, against: 'goal 250 ms', ratio: `p50 ${p50} ms` },
    {
      promise: '… told of all that were due',
      measured: `${((100 * told) / (events * subscribers)).toFixed(2)} %`,
      against: `${(events / SECONDS).toFixed(0)} events/s`,
      ratio: `${upstreams} upstreams`,
    },
    {
      promise: '… router CPU per event told',
      measured: `${((1_000 * cpuMs) / told).toFixed(1)} µs`,
      against: `${((1_000 * cpuMs) / events).toFixed(0)} µs per event`,
      ratio: `${((cpuMs / SECONDS) * 0.1).toFixed(0)} % of a core`,
    },
  ];
}

async function joined(house: House, router: Router, perSecond: number): Promise<Figure[]> {
  const { events, cpuMs, p50, p99 } = await passed(house, router, JOINED, 1, perSecond);
  return [
    {
      promise: `joins of 2 fetches, ${perSecond} events/s: router CPU per event`,
      measured: `${(cpuMs / events).toFixed(3)} ms`,
      against: 'goal 0.5 ms',
      ratio: `p50 ${p50} ms, p99 ${p99} ms`,
    },
  ];
}

/** What readers cost that read nothing at all, at the most, until they are cut. */
async function unread(house: House, router: Router, readers: number): Promise<Figure[]> {
  const reading = subscribe(router, FAT, () => undefined);
  await when(() => house.readers > 0);
  house.start(100, FILLER);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = used(router).rssMb;
  const idle = Array.from({ length: readers }, () => subscribe(router, FAT, () => undefined, false));
  let most = before;
  for (let time = 0; time < 100; time += 1) {
    most = Math.max(most, used(router).rssMb);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  house.stop();
  for (const each of [reading, ...idle]) each.stop();
  const each = (most - before) / readers;
  return [
    {
      promise: 'memory of a reader that does not read',
      measured: `${each.toFixed(2)} MB`,
      against: 'goal 1 MB',
      ratio: '',
    },
  ];
}
