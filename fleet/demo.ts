import { createFactory, singleton } from '../sdk/factory/index.ts';
import { FleetLink, type LinkOptions, type Surroundings } from '../sdk/index.ts';
import { arrivals } from './arrivals.ts';
import { Bus } from './bus.ts';
import { Chance } from './chance.ts';
import { Faults } from './faults.ts';
import { Host } from './host.ts';
import { TRADES } from './kinds/index.ts';
import { type Member, roster } from './roster.ts';
import { Worker } from './worker.ts';

export interface Demo {
  readonly link: FleetLink;
  readonly workers: readonly Worker[];
  /** Ends it within `limitMs` milliseconds: work, faults, farewells, telemetry. */
  stop(limitMs: number): Promise<void>;
}

const REGISTRATIONS_AT_A_TIME = 6;
const METRICS_EVERY_MS = 5_000;
/** Work begins when so many are there, two of each kind at least. */
const ENOUGH = 24;

/**
 * Starts 74 agents that are real clients of the platform: they register as they can, pass tasks to each other, and fail in turn.
 * @param seed decides who does what and who fails when
 * @throws FleetFailure when the platform refuses the token
 */
export async function startDemo(options: Omit<LinkOptions, 'shared'>, seed: number): Promise<Demo> {
  const ended = new AbortController();
  const link = new FleetLink({ metricsEveryMs: METRICS_EVERY_MS, ...options, shared: true });
  const { surroundings } = link;
  const bus = new Bus(new Chance(seed));
  const workers: Worker[] = [];
  const faults = new Faults(workers, new Host(link, ended.signal), new Chance(seed + 2), surroundings);
  let dice = seed * 1_000;
  const provide = { bus: singleton(() => bus), dice: singleton(() => () => new Chance(dice++)) };
  const factory = createFactory({ kinds: Object.values(TRADES), link, provide });
  const hire = async ({ kind, name, about }: Member) => {
    const worker = new Worker(await factory.create(kind, name, {}, about), surroundings);
    bus.join(worker);
    if (workers.push(worker) !== ENOUGH) return;
    void arrivals(bus, new Chance(seed + 1), surroundings, ended.signal);
    void faults.run(ended.signal);
  };
  const stop = async (limitMs: number) => {
    ended.abort();
    // What is down is brought up, so that it can say farewell and nobody is called for it.
    await Promise.all(workers.filter(({ agent }) => agent.silent).map(({ agent }) => agent.wake()));
    await finish(workers, limitMs / 3, surroundings);
    await factory.close((limitMs * 2) / 3);
  };
  const waiting = roster();
  const registrar = async () => {
    for (let next = waiting.shift(); next && !ended.signal.aborted; next = waiting.shift()) await hire(next);
  };
  try {
    await Promise.all(Array.from({ length: REGISTRATIONS_AT_A_TIME }, registrar));
  } catch (error) {
    await stop(0);
    throw error;
  }
  return { link, workers, stop };
}

/** Lets the tasks in hand be done; what takes longer is given up, so that its spans end and are sent too. */
async function finish(workers: readonly Worker[], limitMs: number, surroundings: Surroundings): Promise<void> {
  const untilMs = surroundings.nowMs() + limitMs;
  const busy = () => workers.some(({ load }) => load > 0);
  while (busy() && surroundings.nowMs() < untilMs) await surroundings.sleep(20);
  for (const worker of workers) worker.abandon();
  await surroundings.sleep(0);
}
