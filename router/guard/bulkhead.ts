import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { Left, TimedOut } from '../wire/exchange.ts';
import {
  type ConcurrencyPolicy,
  type ConcurrencyState,
  concurrencyLimit,
  firstConcurrency,
  learnConcurrency,
} from './concurrency.ts';

export interface BulkheadPolicy extends ConcurrencyPolicy {
  /** Calls that may wait for their turn. */
  mostWaiting: number;
  /** How long one waits at most, milliseconds. */
  waitMs: number;
}

/** One call that waits for its turn. */
interface Waiting {
  /** Undefined once it no longer waits. */
  go: (() => void) | undefined;
  refuse(error: Error): void;
}

/**
 * Keeps the calls to one subgraph few while it does not answer, so that it takes nothing from the others; those beyond
 * wait in order, for a bounded time. Its number adapts (concurrency.ts).
 */
export class Bulkhead {
  #state: ConcurrencyState;
  #inFlight = 0;
  /** Calls that were let through since anything came back. */
  #unheard = 0;
  #queue: Waiting[] = [];
  #first = 0;
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
   * @throws OVERLOADED with `retryAfterMs` when too many wait or it takes too long; TimedOut, Left
   */
  wait(leftMs: number, signal: LeaveSignal | undefined): Promise<void> {
    const { mostWaiting, waitMs } = this.policy;
    if (this.#waiting >= mostWaiting) return Promise.reject(this.#overloaded());
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
      if (this.#queue.length > 2 * mostWaiting + this.#waiting) this.#letGo();
      this.#queue.push(waiting);
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
    const all = this.#queue.slice(this.#first);
    this.#queue = [];
    this.#first = 0;
    for (const each of all) if (each.go) each.refuse(error());
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
    while (this.#hasRoom(limit) && this.#first < this.#queue.length) {
      const next = this.#queue[this.#first++] as Waiting;
      if (!next.go) continue;
      this.#take();
      next.go();
    }
    if (this.#first > 1_000 || this.#first === this.#queue.length) this.#letGo();
  }

  /** Those that are through, or waited in vain, are let go of now and then, not one by one. */
  #letGo(): void {
    this.#queue = this.#queue.slice(this.#first).filter(({ go }) => go);
    this.#first = 0;
  }

  #overloaded(): FleetError {
    const { subgraph } = this;
    const detail = { subgraph, retryAfterMs: this.policy.waitMs };
    return new FleetError('OVERLOADED', `${subgraph} has more calls than it answers`, detail);
  }
}
