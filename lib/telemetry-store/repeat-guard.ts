import { createHash } from 'node:crypto';

/** A batch that was stored, or is about to be. */
interface Known {
  atMs: number;
  done: Promise<void>;
}

const MAX_KNOWN = 200_000;
const LONGEST_MS = 24 * 60 * 60_000;

/** The 64-bit number, decimal, under which a batch's token is kept in its rows; never 0. */
export function batchNumber(token: string): string {
  const number = createHash('sha256').update(token).digest().readBigUInt64BE(0);
  return String(number === 0n ? 1n : number);
}

/** Remembers which batches came, for a day and at most 200,000 of them. */
export class RepeatGuard {
  readonly #known = new Map<string, Known>();

  /** What is known of a batch that came less than `windowMs` ago. */
  find(batch: string, nowMs: number, windowMs: number): Promise<void> | undefined {
    const known = this.#known.get(batch);
    return known && known.atMs > nowMs - windowMs ? known.done : undefined;
  }

  /** Notes a batch under way; one that fails is forgotten, so that it may come again. */
  note(batch: string, atMs: number, done: Promise<void> = Promise.resolve()): void {
    // Deleted first, so that the map stays ordered by time.
    this.#known.delete(batch);
    const known = { atMs, done };
    this.#known.set(batch, known);
    done.catch(() => {
      if (this.#known.get(batch) === known) this.#known.delete(batch);
    });
    for (const [oldest, { atMs: since }] of this.#known) {
      if (this.#known.size <= MAX_KNOWN && since > atMs - LONGEST_MS) break;
      this.#known.delete(oldest);
    }
  }
}
