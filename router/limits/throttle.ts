import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Prepared } from '../engine.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { LoopSample } from '../metrics/loop-delay.ts';
import { nextCapacity } from './capacity.ts';
import { FairQueue, PRIORITIES, type Priority, type QueueLimits, type Ticket } from './fair-queue.ts';
import { priorityOf } from './priority.ts';
import { requestsPerSecondOf } from './rates.ts';

export const QUEUE_LIMITS: QueueLimits = {
  inFlight: 512,
  waiting: 1_000,
  waitingPerClient: 200,
  waitingBytes: 64_000_000,
  waitMs: 2_000,
};

/** How often those who wait are looked through for whoever has waited too long, milliseconds. */
const LOOK_MS = 50;
/** However long the loop's turns are, so many run: one that waits for subgraphs alone would leave it idle. */
const LEAST_IN_FLIGHT = 8;
/** How soon whoever was turned away may come again, by what it was, milliseconds. */
const RETRY_MS: Record<Priority, number> = { 'on-call': 1_000, script: 2_000, dashboard: 5_000 };

/** What became of those who could not run at once. */
export type QueueOutcome = 'waited' | 'shed' | 'refused' | 'expired' | 'left';

interface Waiting extends Ticket {
  readonly sinceMs: number;
  settle(error?: FleetError): void;
}

/** The capacity of a router, and the queue in front of it: what there is no room for waits its fair turn, or is told when to come again. */
export class Throttle {
  readonly #queue: FairQueue<Waiting>;
  readonly #outcomes = new Map<string, number>();
  #waitedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: QueueLimits,
    private readonly clock: Clock,
  ) {
    // A look may come so much late, and none may wait longer than is said.
    this.#queue = new FairQueue({ ...limits, waitMs: Math.max(0, limits.waitMs - LOOK_MS) });
  }

  get running(): number {
    return this.#queue.running;
  }

  /** How many may run at the same time now. */
  get capacity(): number {
    return this.#queue.capacity;
  }

  /** How long all that waited and then ran have waited together, milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  waitingOf(priority: Priority): number {
    return this.#queue.waitingOf(priority);
  }

  countOf(priority: Priority, outcome: QueueOutcome): number {
    return this.#outcomes.get(`${priority} ${outcome}`) ?? 0;
  }

  /**
   * Takes a place; `leave` gives it back. At once while there is room.
   * @returns a promise while there is none: it settles when there is
   * @throws OVERLOADED when too much waits already, or after two seconds; RATE_LIMITED when the client itself has too much waiting
   */
  enter(prepared: Prepared, call: Call, signal: LeaveSignal): Promise<void> | undefined {
    return this.#queue.start() ? undefined : this.#queued(prepared, call, signal);
  }

  leave(): void {
    const nowMs = this.clock.nowMs();
    this.#start(this.#queue.finish(nowMs), nowMs);
  }

  /** Runs fewer while the loop has too much to do, and more again when it has not; where nobody may wait, as many as ever. */
  noticed(sample: LoopSample): void {
    const { inFlight: most, waitMs } = this.limits;
    const { capacity, running } = this.#queue;
    if (waitMs === 0) return;
    const next = nextCapacity(capacity, running, sample, { least: Math.min(LEAST_IN_FLIGHT, most), most });
    if (next === capacity) return;
    const nowMs = this.clock.nowMs();
    this.#start(this.#queue.resize(next, nowMs), nowMs);
  }

  /** As many as ever, whatever the loop does. */
  relax(): void {
    const nowMs = this.clock.nowMs();
    if (this.capacity !== this.limits.inFlight) this.#start(this.#queue.resize(this.limits.inFlight, nowMs), nowMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #queued(prepared: Prepared, call: Call, signal: LeaveSignal): Promise<void> | undefined {
    const priority = priorityOf(call);
    const nowMs = this.clock.nowMs();
    let ticket: Waiting | undefined;
    const settled = new Promise<void>((resolve, reject) => {
      ticket = {
        client: call.principal.id,
        priority,
        weight: weightOf(call),
        cost: prepared.cost,
        sizeBytes: sizeOf(prepared),
        sinceMs: nowMs,
        settle: (error) => (error ? reject(error) : resolve()),
      };
    });
    const waiting = ticket as Waiting;
    const { outcome, shed } = this.#queue.offer(waiting, nowMs);
    for (const each of shed) this.#turnAway(each, 'shed');
    if (outcome === 'runs') return undefined;
    if (outcome !== 'waits') {
      this.#count(priority, 'refused');
      throw outcome === 'crowded' ? CROWDED : overloaded(priority);
    }
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    const leave = () => {
      this.#queue.leave(waiting);
      this.#turnAway(waiting, 'left');
    };
    signal.addEventListener('abort', leave, { once: true });
    return settled.finally(() => signal.removeEventListener('abort', leave));
  }

  #look(): void {
    for (const expired of this.#queue.expire(this.clock.nowMs())) this.#turnAway(expired, 'expired');
    if (this.#queue.waiting > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(tickets: readonly Waiting[], nowMs: number): void {
    for (const started of tickets) {
      this.#count(started.priority, 'waited');
      this.#waitedMs += nowMs - started.sinceMs;
      started.settle();
    }
  }

  #turnAway(ticket: Waiting, outcome: QueueOutcome): void {
    this.#count(ticket.priority, outcome);
    ticket.settle(overloaded(ticket.priority));
  }

  #count(priority: Priority, outcome: QueueOutcome): void {
    const key = `${priority} ${outcome}`;
    this.#outcomes.set(key, (this.#outcomes.get(key) ?? 0) + 1);
  }
}

/** Made once each: under overload an error's stack would be a good part of what a refusal costs. */
const OVERLOADED = new Map<Priority, FleetError>(PRIORITIES.map((priority) => [priority, overload(priority)]));

function overloaded(priority: Priority): FleetError {
  return OVERLOADED.get(priority) as FleetError;
}

function overload(priority: Priority): FleetError {
  return new FleetError('OVERLOADED', 'more is asked of the router than it can do now: come again later', {
    retryAfterMs: RETRY_MS[priority],
    priority,
  });
}

const CROWDED = new FleetError('RATE_LIMITED', 'too many of your operations wait for their turn already', {
  retryAfterMs: RETRY_MS.script,
});

/** Whoever is granted more requests has more turns. */
function weightOf({ principal }: Call): number {
  const perSecond = requestsPerSecondOf(principal, { requestsPerSecond: 100 });
  return Number.isFinite(perSecond) ? Math.max(1, perSecond) : 100;
}

/** About what a waiting operation keeps in memory, bytes: its variables, and what belongs to any request. */
function sizeOf({ variables }: Prepared): number {
  return 4_000 + weigh(variables);
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return 16 + 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  for (const inner of Object.values(value)) bytes += weigh(inner);
  return bytes;
}
