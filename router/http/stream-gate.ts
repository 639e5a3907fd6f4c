import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { PRIORITIES, type Priority } from '../limits/fair-queue.ts';
import { priorityOf } from '../limits/priority.ts';

/** How fast streams are opened. */
export interface StreamGateLimits {
  /** Streams opened a second, once `burst` were at once. */
  perSecond: number;
  burst: number;
  /** Streams that wait for their turn. */
  waiting: number;
  /** How long one waits at most, milliseconds. */
  waitMs: number;
}

export const STREAM_GATE_LIMITS: StreamGateLimits = { perSecond: 200, burst: 200, waiting: 10_000, waitMs: 20_000 };

/** How often turns are given while anybody waits, milliseconds. */
const TICK_MS = 20;

interface Waiting {
  sinceMs: number;
  isLeft(): boolean;
  settle(error?: FleetError): void;
}

/**
 * When a router comes back, everybody comes back: streams beyond a rate wait for their turn, the most urgent first, so that
 * a herd takes its time and queries do not notice (STREAMS.md 4.7).
 */
export class StreamGate {
  readonly #waiting: Record<Priority, Waiting[]> = { 'on-call': [], script: [], dashboard: [] };
  #size = 0;
  #refused = 0;
  #tokens: number;
  #atMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: StreamGateLimits,
    private readonly clock: Clock,
  ) {
    this.#tokens = limits.burst;
    this.#atMs = clock.nowMs();
  }

  /** Streams that wait now. */
  get size(): number {
    return this.#size;
  }

  /** Streams that were sent away. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Undefined when it may be opened at once.
   * @param isLeft whether whoever waits has gone: then it takes no turn
   * @throws OVERLOADED with `retryAfterMs`, spread so that not all come back together
   */
  enter(call: Call, isLeft: () => boolean): Promise<void> | undefined {
    this.#refill();
    if (this.#size === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      return undefined;
    }
    const priority = priorityOf(call);
    if (this.#size >= this.limits.waiting && !this.#shedBelow(priority)) {
      throw this.#overloaded();
    }
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return new Promise((resolve, reject) => {
      this.#size += 1;
      const settle = (error?: FleetError) => (error ? reject(error) : resolve());
      this.#waiting[priority].push({ sinceMs: this.#atMs, isLeft, settle });
    });
  }

  #tick(): void {
    this.#refill();
    const latestMs = this.#atMs - this.limits.waitMs;
    for (const priority of PRIORITIES) {
      const queue = this.#waiting[priority];
      const stay: Waiting[] = [];
      for (const each of queue) {
        if (each.isLeft()) each.settle();
        else if (each.sinceMs <= latestMs) each.settle(this.#overloaded());
        else if (this.#tokens >= 1) {
          this.#tokens -= 1;
          each.settle();
        } else stay.push(each);
      }
      this.#size -= queue.length - stay.length;
      this.#waiting[priority] = stay;
    }
    if (this.#size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #refill(): void {
    const nowMs = this.clock.nowMs();
    const { perSecond, burst } = this.limits;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) * perSecond) / 1_000);
    this.#atMs = nowMs;
  }

  /** Sends away the newest of the least urgent. @returns whether there was one less urgent than this */
  #shedBelow(priority: Priority): boolean {
    for (const lower of [...PRIORITIES].reverse()) {
      if (lower === priority) return false;
      const shed = this.#waiting[lower].pop();
      if (!shed) continue;
      this.#size -= 1;
      shed.settle(this.#overloaded());
      return true;
    }
    return false;
  }

  #overloaded(): FleetError {
    this.#refused += 1;
    const { perSecond } = this.limits;
    const waitMs = ((1 + this.#size) / perSecond) * 1_000;
    const retryAfterMs = Math.round(500 + waitMs * (0.5 + this.clock.random()));
    return new FleetError('OVERLOADED', 'too many streams are being opened: come again later', { retryAfterMs });
  }
}
