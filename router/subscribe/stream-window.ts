import type { AnyAnswer, StreamItem } from '../engine.ts';
import { textOf } from './item-text.ts';
import { StreamBatch } from './stream-batch.ts';

/** What is handed to a reader at once, at most: beyond it others have their turn. */
const BATCH = { items: 64, bytes: 64_000 } as const;

/** What an item takes beside its answer's text, bytes. */
const ITEM_BYTES = 200;

export interface WindowLimits {
  maxEvents: number;
  maxBytes: number;
}

interface Entry {
  item: StreamItem<AnyAnswer>;
  sizeBytes: number;
  /** Cursors after which this is what comes next. */
  after: string[];
}

/** The last items of a stream, each found by the cursor before it. Places count up from 0. */
export class StreamWindow {
  readonly #entries: Entry[] = [];
  readonly #places = new Map<string, number>();
  #first = 0;
  #sizeBytes = 0;
  /** Cursors after which nothing has come yet. */
  #tip: string[] = [];
  #bookmark: string | undefined;
  #latest: { place: number; batch: StreamBatch } | undefined;

  constructor(
    private readonly limits: WindowLimits,
    after: string | undefined,
  ) {
    if (after !== undefined) this.#mark(after);
  }

  /** The place of what comes next. */
  get end(): number {
    return this.#first + this.#entries.length;
  }

  /** The newest bookmark behind the newest item. */
  get bookmark(): string | undefined {
    return this.#bookmark;
  }

  /** Where somebody goes on who has everything up to this cursor; undefined when it is not known here. */
  placeOf(cursor: string): number | undefined {
    return this.#places.get(cursor);
  }

  /**
   * What comes from a place on; undefined behind the newest. All who are at the same place are given the same.
   * @returns 'gone' before the oldest
   */
  from(place: number): StreamBatch | 'gone' | undefined {
    if (place < this.#first) return 'gone';
    if (place === this.end) return undefined;
    if (this.#latest?.place !== place) this.#latest = { place, batch: this.#batch(place - this.#first) };
    return this.#latest.batch;
  }

  #batch(from: number): StreamBatch {
    let to = from;
    let sizeBytes = 0;
    while (to < this.#entries.length && to - from < BATCH.items && sizeBytes < BATCH.bytes) {
      sizeBytes += (this.#entries[to] as Entry).sizeBytes;
      to += 1;
    }
    return new StreamBatch(this.#entries.slice(from, to).map(({ item }) => item));
  }

  /** @returns what share of the window it takes */
  push(item: StreamItem<AnyAnswer>): number {
    const sizeBytes = ITEM_BYTES + 2 * (item.answer ? textOf(item.answer).length : 0);
    this.#entries.push({ item, sizeBytes, after: this.#tip });
    this.#sizeBytes += sizeBytes;
    this.#tip = [];
    this.#bookmark = undefined;
    this.#latest = undefined;
    if (item.id !== undefined) this.#mark(item.id);
    // The newest stays, whatever it weighs: nobody may have taken it yet.
    while (this.#entries.length > 1 && this.#isOver()) this.#shift();
    return Math.max(1 / this.limits.maxEvents, sizeBytes / this.limits.maxBytes);
  }

  /** A position read through, at which nothing matched. */
  move(bookmark: string): void {
    if (this.#bookmark !== undefined) {
      const old = this.#bookmark;
      this.#places.delete(old);
      this.#tip = this.#tip.filter((cursor) => cursor !== old);
    }
    this.#bookmark = bookmark;
    this.#mark(bookmark);
  }

  #mark(cursor: string): void {
    this.#places.set(cursor, this.end);
    this.#tip.push(cursor);
  }

  #isOver(): boolean {
    return this.#entries.length > this.limits.maxEvents || this.#sizeBytes > this.limits.maxBytes;
  }

  #shift(): void {
    const { sizeBytes, after } = this.#entries.shift() as Entry;
    for (const cursor of after) this.#places.delete(cursor);
    this.#sizeBytes -= sizeBytes;
    this.#first += 1;
  }
}
