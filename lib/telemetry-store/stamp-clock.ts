import type { Clock } from '../clock.ts';

/** Gives stamps, microseconds since 1970, that only ever rise (STREAMS.md 6). */
export class StampClock {
  #last = 0;

  constructor(private readonly clock: Clock) {}

  /** Every later stamp is above this: the watermark found at start. */
  startAbove(stamp: number): void {
    this.#last = Math.max(this.#last, stamp);
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, this.clock.nowMs() * 1_000);
    return this.#last;
  }
}
