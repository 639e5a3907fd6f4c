import { type Clock, systemClock, uuidV7 } from '../../../lib/clock.ts';

/** The machine's clock, which a test may put forward: pauses of minutes pass at once. */
export class MovingClock implements Clock {
  #aheadMs = 0;

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs;
  }

  uuid(): string {
    return uuidV7(this.nowMs(), crypto.getRandomValues(new Uint8Array(10)));
  }

  /** Retries come as soon as they may. */
  random(): number {
    return 0;
  }
}
