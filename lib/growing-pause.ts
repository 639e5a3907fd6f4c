import type { Clock } from './clock.ts';

const FIRST_MS = 500;

/** Pauses between tries of what fails: twice as long each time, with full jitter, so that many do not come back together. */
export class GrowingPause {
  #failures = 0;
  #notBeforeMs = 0;

  /** @param longestMs the longest pause, milliseconds */
  constructor(
    private readonly clock: Clock,
    private readonly longestMs: number,
  ) {}

  /** Tries that failed one after the other. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether it is too early for another try. */
  get lasts(): boolean {
    return this.clock.nowMs() < this.#notBeforeMs;
  }

  failed(): void {
    this.#failures += 1;
    const longestMs = Math.min(this.longestMs, FIRST_MS * 2 ** this.#failures);
    this.#notBeforeMs = this.clock.nowMs() + FIRST_MS + this.clock.random() * longestMs;
  }

  /** It went through. @returns how often it had failed before */
  passed(): number {
    const before = this.#failures;
    this.#failures = 0;
    this.#notBeforeMs = 0;
    return before;
  }
}
