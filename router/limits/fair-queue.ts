import { ClassQueue } from './class-queue.ts';

/** Whose turn comes first. */
export const PRIORITIES = ['on-call', 'script', 'dashboard'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** One operation that would run. */
export interface Ticket {
  readonly client: string;
  readonly priority: Priority;
  /** Its client's share beside others of the same priority. */
  readonly weight: number;
  /** What it costs, points: a client of dear operations has its turn less often. */
  readonly cost: number;
  readonly sizeBytes: number;
}

export interface QueueLimits {
  /** Operations that run at the same time. */
  inFlight: number;
  /** Operations that wait, of all clients and of one. */
  waiting: number;
  waitingPerClient: number;
  /** What waiting operations may weigh together, bytes. */
  waitingBytes: number;
  /** How long one waits at most, milliseconds; 0: none waits. */
  waitMs: number;
}

/** What becomes of a ticket that was offered: it runs, waits, or is turned away; others may be turned away for it. */
export interface Offer<T extends Ticket> {
  outcome: 'runs' | 'waits' | 'crowded' | 'full';
  /** Lower ones that had to make room. */
  shed: readonly T[];
}

/** How much of the capacity each priority may fill: a place is left for what matters more. */
const SHARES: Record<Priority, number> = { 'on-call': 1, script: 0.95, dashboard: 0.9 };
/** Of the time a ticket may wait, the part after which it is stale: 1 / this. */
const STALE_PART = 4;
const NONE: readonly never[] = [];

/**
 * Who runs now, who waits, who is turned away: on call before scripts before dashboards; among equals by start-time fair
 * queuing (Goyal, Vin, Cheng 1996), weighted by client and cost. When it is full the lowest is shed first, of the client
 * that has most waiting. Knows no time but what it is told, and no promise.
 */
export class FairQueue<T extends Ticket> {
  readonly #classes: Record<Priority, ClassQueue<T>> = {
    'on-call': new ClassQueue(),
    script: new ClassQueue(),
    dashboard: new ClassQueue(),
  };
  #room: Record<Priority, number>;
  /** How many fewer may run now than at most: so many more may wait. */
  #withheld = 0;
  #running = 0;
  #waitingBytes = 0;

  constructor(private readonly limits: QueueLimits) {
    this.#room = roomIn(limits.inFlight);
  }

  /** Operations that may run at the same time now. */
  get capacity(): number {
    return this.#room['on-call'];
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#classes[priority].size, 0);
  }

  waitingOf(priority: Priority): number {
    return this.#classes[priority].size;
  }

  /** Starts one without a ticket, while there is so much room that nobody's turn matters. @returns whether it did */
  start(): boolean {
    if (this.#running >= this.#room.dashboard) return false;
    this.#running += 1;
    return true;
  }

  offer(ticket: T, nowMs: number): Offer<T> {
    if (this.#running < this.#room[ticket.priority] && !this.#isBehind(ticket.priority)) {
      this.#running += 1;
      return { outcome: 'runs', shed: NONE };
    }
    const { waitMs, waitingPerClient } = this.limits;
    if (waitMs === 0) return { outcome: 'full', shed: NONE };
    const own = this.#classes[ticket.priority];
    if (own.waitingOf(ticket.client) >= waitingPerClient + this.#withheld) return { outcome: 'crowded', shed: NONE };
    const shed: T[] = [];
    while (this.#isFull(ticket)) {
      const victim = this.#victimFor(ticket);
      if (!victim) return { outcome: 'full', shed };
      this.#remove(victim);
      shed.push(victim);
    }
    own.add(ticket, nowMs + waitMs / STALE_PART, nowMs + waitMs);
    this.#waitingBytes += ticket.sizeBytes;
    return { outcome: 'waits', shed };
  }

  /** One that ran has ended. @returns those that run instead */
  finish(nowMs: number): readonly T[] {
    this.#running -= 1;
    return this.#startWaiting(nowMs);
  }

  /** Changes how many may run at the same time, at most as many as the limits say. @returns those that run now */
  resize(capacity: number, nowMs: number): readonly T[] {
    this.#room = roomIn(capacity);
    this.#withheld = this.limits.inFlight - capacity;
    return this.#startWaiting(nowMs);
  }

  #startWaiting(nowMs: number): readonly T[] {
    const started: T[] = [];
    for (const priority of PRIORITIES) {
      const queue = this.#classes[priority];
      while (queue.size > 0 && this.#running < this.#room[priority]) {
        const next = queue.next(nowMs) as T;
        this.#waitingBytes -= next.sizeBytes;
        this.#running += 1;
        started.push(next);
      }
      // Whoever is lower must not pass whoever still waits.
      if (queue.size > 0) break;
    }
    return started;
  }

  /** Takes out who has waited too long. */
  expire(nowMs: number): readonly T[] {
    const expired = PRIORITIES.flatMap((priority) => this.#classes[priority].expired(nowMs));
    for (const ticket of expired) this.#remove(ticket);
    return expired;
  }

  /** Takes out one that no longer wants its turn. */
  leave(ticket: T): void {
    this.#remove(ticket);
  }

  #remove(ticket: T): void {
    if (this.#classes[ticket.priority].remove(ticket)) this.#waitingBytes -= ticket.sizeBytes;
  }

  #isBehind(priority: Priority): boolean {
    for (const each of PRIORITIES) {
      if (this.#classes[each].size > 0) return true;
      if (each === priority) return false;
    }
    return false;
  }

  #isFull({ sizeBytes }: T): boolean {
    const { waiting, waitingBytes } = this.limits;
    return this.waiting >= waiting + this.#withheld || this.#waitingBytes + sizeBytes > waitingBytes;
  }

  /** Who makes room for a ticket: the lowest below it, or one of an equal with a longer queue of his own. */
  #victimFor(ticket: T): T | undefined {
    for (const priority of [...PRIORITIES].reverse()) {
      const queue = this.#classes[priority];
      if (priority === ticket.priority) {
        const longest = queue.newestOfLongest();
        const isLonger = longest && queue.waitingOf(longest.client) > queue.waitingOf(ticket.client) + 1;
        return isLonger ? longest : undefined;
      }
      if (queue.size > 0) return queue.newestOfLongest();
    }
    return undefined;
  }
}

function roomIn(capacity: number): Record<Priority, number> {
  const room = (share: number) => Math.max(1, Math.floor(capacity * share));
  return { 'on-call': room(SHARES['on-call']), script: room(SHARES.script), dashboard: room(SHARES.dashboard) };
}
