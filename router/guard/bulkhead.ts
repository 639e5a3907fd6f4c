import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { PRIORITIES, type Priority } from '../limits/fair-queue.ts';
import { Left, TimedOut } from '../wire/exchange.ts';
import {
  type ConcurrencyPolicy,
  type ConcurrencyState,
  concurrencyLimit,
  firstConcurrency,
  learnConcurrency,
} from './concurrency.ts';
import { type Waiting, WaitingLine } from './waiting-line.ts';

export interface BulkheadPolicy extends ConcurrencyPolicy {
  /** Calls that may wait for their turn. */
  mostWaiting: number;
  /** How long one waits at most, milliseconds. */
  waitMs: number;
}

/**
 * Keeps the calls to one subgraph few while it does not answer, so that it takes nothing from the others; those beyond
 * wait, the most urgent first, for a bounded time. Its number adapts (concurrency.ts).
 */
export class Bulkhead {
  #state: ConcurrencyState;
  #inFlight = 0;
  /** Calls that were let through since anything came back. */
  #unheard = 0;
  /** The most urgent first. */
  readonly #lines: readonly WaitingLine[] = PRIORITIES.map(() => new WaitingLine());
  #waiting = 0;

  constructor(
    private readonly subgraph: string,
    private readonly policy: BulkheadPolicy,
    private readonly clock: Clock,
  ) {
    this.#state = firstConcurrency(policy, clock.nowMs());
  }

  get limit(): number {
    return concurrencyLimit(this.#state, this.clock.nowMs(), this.policy);
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a place, if one is free and nobody waits for it. */
  tryTake(nowMs: number): boolean {
    if (this.#waiting > 0 || !this.#hasRoom(concurrencyLimit(this.#state, nowMs, this.policy))) return false;
    this.#take();
    return true;
  }

  /**
   * Waits for a place in turn.
   * @param leftMs how long the caller can wait at most
   * @throws OVERLOADED with `retryAfterMs` when too many wait, none less urgent, or it takes too long; TimedOut, Left
   */
  wait(leftMs: number, signal: LeaveSignal | undefined, priority: Priority): Promise<void> {
    const { mostWaiting, waitMs } = this.policy;
    const rank = PRIORITIES.indexOf(priority);
    if (this.#waiting >= mostWaiting && !this.#shed(rank)) return Promise.reject(this.#overloaded());
    if (signal?.aborted) return Promise.reject(new Left());
    return new Promise<void>((resolve, reject) => {
      const end = () => {
        if (!waiting.go) return false;
        waiting.go = undefined;
        this.#waiting -= 1;
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        return true;
      };
      const waiting: Waiting = {
        go: () => end() && resolve(),
        refuse: (error) => end() && reject(error),
      };
      const leave = () => waiting.refuse(new Left());
      const timeUp = () => waiting.refuse(leftMs <= waitMs ? new TimedOut() : this.#overloaded());
      const timer = setTimeout(timeUp, Math.min(leftMs, waitMs));
      signal?.addEventListener('abort', leave, { once: true });
      this.#lines[rank]?.push(waiting);
      this.#waiting += 1;
    });
  }

  /** Gives the place back, and says what the call taught. @param tookMs undefined: nothing */
  release(nowMs: number, tookMs: number | undefined, timedOut: boolean): void {
    if (tookMs !== undefined) {
      const sample = { tookMs, inFlight: this.#inFlight, timedOut };
      this.#state = learnConcurrency(this.#state, sample, nowMs, this.policy);
    }
    this.#inFlight -= 1;
    if (!timedOut) this.#unheard = 0;
    if (this.#waiting > 0) this.#callNext(nowMs);
  }

  /** Nobody waits for a subgraph that is resting. */
  refuseWaiting(error: () => Error): void {
    for (const line of this.#lines) {
      for (let next = line.next(); next; next = line.next()) next.refuse(error());
    }
  }

  /** Sends the last of those away who are less urgent. @returns whether there was one */
  #shed(rank: number): boolean {
    for (let at = PRIORITIES.length - 1; at > rank; at--) {
      const last = this.#lines[at]?.last();
      if (!last) continue;
      last.refuse(this.#overloaded());
      return true;
    }
    return false;
  }

  /** However many it takes when it is well: those that are sent while nothing comes back are few, for it may have just stopped. */
  #hasRoom(limit: number): boolean {
    return this.#inFlight < (this.#unheard < this.policy.initial ? limit : this.policy.initial);
  }

  #take(): void {
    this.#inFlight += 1;
    this.#unheard += 1;
  }

  #callNext(nowMs: number): void {
    const limit = concurrencyLimit(this.#state, nowMs, this.policy);
    for (const line of this.#lines) {
      while (this.#hasRoom(limit)) {
        const next = line.next();
        if (!next) break;
        this.#take();
        next.go?.();
      }
    }
  }

  #overloaded(): FleetError {
    const { subgraph } = this;
    const detail = { subgraph, retryAfterMs: this.policy.waitMs };
    return new FleetError('OVERLOADED', `${subgraph} has more calls than it answers`, detail);
  }
}
