const FIRST_MS = 100;
const LAST_MS = 10_000;

/**
 * Waits between attempts: exponential with full jitter, up to 100 ms at first and up to 10 s at last.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export class Backoff {
  #attempts = 0;

  constructor(private readonly random: () => number) {}

  /** Milliseconds to wait before the next attempt; never less than what the platform asked for. */
  next(askedMs = 0): number {
    const capMs = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(this.#attempts++, 16));
    return Math.max(askedMs, Math.floor(this.random() * capMs));
  }

  /** After a success the next wait is short again. */
  reset(): void {
    this.#attempts = 0;
  }
}
