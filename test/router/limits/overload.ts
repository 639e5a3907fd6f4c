import { FairQueue, type Priority, type QueueLimits, type Ticket } from '../../../router/limits/fair-queue.ts';

/** Who asks in the simulation: so many clients, and their part of all requests. */
const CALLERS: readonly { priority: Priority; clients: number; share: number }[] = [
  { priority: 'on-call', clients: 2, share: 0.1 },
  { priority: 'script', clients: 10, share: 0.3 },
  { priority: 'dashboard', clients: 40, share: 0.6 },
];

/** What the simulated router has behind it: so many operations at once at full speed, each slower beyond it. */
const SERVERS = 10;
const SERVICE_MS = 20;
/** Whoever has no answer by then has gone. */
const PATIENCE_MS = 2_000;
/** Operations a second at full speed. */
export const CAPACITY_PER_SECOND = (SERVERS / SERVICE_MS) * 1_000;
export const LIMITS: QueueLimits = {
  inFlight: SERVERS,
  waiting: 500,
  waitingPerClient: 50,
  waitingBytes: 10_000_000,
  waitMs: PATIENCE_MS,
};

interface Request extends Ticket {
  at: number;
}

export interface Outcome {
  /** Answers in time, a second. */
  goodput: number;
  /** Of whoever was answered, milliseconds. */
  p99: Record<Priority, number>;
  /** Share of its requests that each priority had answered in time. */
  served: Record<Priority, number>;
  /** Answers of each client. */
  byClient: Map<string, number>;
  longestWaitMs: number;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A load in simulated time. @param load times the capacity @param limits absent: everything runs at once */
export function simulate(load: number, seed: number, limits: QueueLimits | undefined, seconds = 6): Outcome {
  const random = seeded(seed);
  const queue = new FairQueue<Request>(limits ?? { ...LIMITS, inFlight: Number.MAX_SAFE_INTEGER });
  const arrivals = arrivalsOf(load, random, seconds);
  const ends: { at: number; request: Request }[] = [];
  const answered: { request: Request; tookMs: number }[] = [];
  let longestWaitMs = 0;
  const run = (request: Request, nowMs: number) => {
    longestWaitMs = Math.max(longestWaitMs, nowMs - request.at);
    const slowness = Math.max(1, queue.running / SERVERS);
    insert(ends, { at: nowMs + SERVICE_MS * slowness * (0.8 + 0.4 * random()), request });
  };
  for (let next = 0; next < arrivals.length || ends.length > 0; ) {
    const arrival = arrivals[next];
    const [end] = ends;
    if (arrival && (!end || arrival.at <= end.at)) {
      next += 1;
      queue.expire(arrival.at);
      if (queue.offer(arrival, arrival.at).outcome === 'runs') run(arrival, arrival.at);
    } else if (end) {
      ends.shift();
      const tookMs = end.at - end.request.at;
      if (tookMs <= PATIENCE_MS) answered.push({ request: end.request, tookMs });
      queue.expire(end.at);
      for (const started of queue.finish(end.at)) run(started, end.at);
    }
  }
  return { ...outcomeOf(arrivals, answered, seconds), longestWaitMs };
}

function arrivalsOf(load: number, random: () => number, seconds: number): Request[] {
  const perMs = (load * CAPACITY_PER_SECOND) / 1_000;
  const arrivals: Request[] = [];
  for (let at = 0; at < seconds * 1_000; at += -Math.log(1 - random()) / perMs) {
    const { priority, clients } = callerAt(random());
    const client = `${priority} ${Math.floor(random() * clients)}`;
    arrivals.push({ at, client, priority, weight: 1, cost: 1, sizeBytes: 1_000 });
  }
  return arrivals;
}

/** @param part in [0, 1) */
function callerAt(part: number): (typeof CALLERS)[number] {
  let before = 0;
  for (const caller of CALLERS) {
    before += caller.share;
    if (part < before) return caller;
  }
  return CALLERS[CALLERS.length - 1] as (typeof CALLERS)[number];
}

function insert<E extends { at: number }>(events: E[], event: E): void {
  let low = 0;
  for (let high = events.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((events[middle] as E).at <= event.at) low = middle + 1;
    else high = middle;
  }
  events.splice(low, 0, event);
}

function outcomeOf(
  arrivals: readonly Request[],
  answered: readonly { request: Request; tookMs: number }[],
  seconds: number,
): Omit<Outcome, 'longestWaitMs'> {
  const of = (priority: Priority) => answered.filter(({ request }) => request.priority === priority);
  const p99 = (priority: Priority) => {
    const times = of(priority).map(({ tookMs }) => tookMs);
    times.sort((one, other) => one - other);
    return times[Math.floor(times.length * 0.99)] ?? 0;
  };
  const served = (priority: Priority) =>
    of(priority).length / arrivals.filter((request) => request.priority === priority).length;
  const byClient = new Map<string, number>();
  for (const { request } of answered) byClient.set(request.client, (byClient.get(request.client) ?? 0) + 1);
  const each = <V>(read: (priority: Priority) => V) => ({
    'on-call': read('on-call'),
    script: read('script'),
    dashboard: read('dashboard'),
  });
  return { goodput: answered.length / seconds, p99: each(p99), served: each(served), byClient };
}
