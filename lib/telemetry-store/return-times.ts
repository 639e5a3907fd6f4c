/** Seconds from now that senders are spread over; stock SDKs give a request up after 10 s in all. */
const MOST_SECONDS = 8;
/** Weight of the newest measurement. */
const NEW = 0.2;

/**
 * Tells refused senders when to come back, so that not all of them come at once: each second has room for what may wait, or for
 * what the store takes in a second if that is less, and whoever finds it promised is sent to the next.
 */
export class ReturnTimes {
  /** Bytes promised by second, epoch. */
  readonly #promised = new Map<number, number>();
  #bytesPerSecond = Number.POSITIVE_INFINITY;

  /** @param maxPendingBytes what may wait at one time */
  constructor(private readonly maxPendingBytes: number) {}

  /** So much was stored in so long. */
  stored(bytes: number, tookMs: number): void {
    const rate = (bytes / Math.max(1, tookMs)) * 1_000;
    this.#bytesPerSecond = Number.isFinite(this.#bytesPerSecond)
      ? this.#bytesPerSecond + NEW * (rate - this.#bytesPerSecond)
      : rate;
  }

  /** @returns when a request of so many bytes should come again, milliseconds from now; whole seconds */
  next(bytes: number, nowMs: number): number {
    const now = Math.floor(nowMs / 1_000);
    for (const second of this.#promised.keys()) if (second <= now) this.#promised.delete(second);
    const room = Math.min(this.maxPendingBytes, this.#bytesPerSecond);
    for (let after = 1; after < MOST_SECONDS; after += 1) {
      const promised = this.#promised.get(now + after) ?? 0;
      // One that is larger than the room is taken when nothing waits.
      if (promised > 0 && promised + bytes > room) continue;
      this.#promised.set(now + after, promised + bytes);
      return after * 1_000;
    }
    return MOST_SECONDS * 1_000;
  }
}
