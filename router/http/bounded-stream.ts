import { FleetError } from '../../lib/errors.ts';
import type { GraphAnswer, StreamItem } from '../engine.ts';
import { textOf } from '../subscribe/item-text.ts';

/** How much may wait for one slow reader. */
export const STREAM_QUEUE = { maxEvents: 1_000, maxBytes: 1_000_000 } as const;

/** What an item weighs in the queue beside its answer's text, bytes. */
const ITEM_BYTES = 100;

interface Waiting {
  item: StreamItem;
  sizeBytes: number;
}

type Pulled = { kind: 'item'; item: StreamItem } | { kind: 'ended' } | { kind: 'failed'; error: unknown };

/**
 * Stands between a source and a reader: the source is never held up, the queue is bounded, and a reader that falls behind
 * it gets SLOW_CONSUMER with the cursor of the last item it took (STREAMS.md 4.3).
 */
export class BoundedStream implements AsyncIterableIterator<StreamItem> {
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #end: Exclude<Pulled, { kind: 'item' }> | undefined;
  #waiter: ((pulled: Pulled) => void) | undefined;
  #lastCursor: string | undefined;
  #bookmark: string | undefined;

  /** @param stop ends the source; @param onSlow told when the reader is cut for its slowness */
  constructor(
    source: AsyncIterable<StreamItem>,
    private readonly stop: () => void,
    private readonly limits: { maxEvents: number; maxBytes: number } = STREAM_QUEUE,
    private readonly onSlow: () => void = () => undefined,
  ) {
    void this.#pump(source);
  }

  /** The latest place up to which the reader has everything, for heartbeats. */
  get bookmark(): string | undefined {
    return this.#queue.length === 0 ? (this.#bookmark ?? this.#lastCursor) : this.#lastCursor;
  }

  /** Ends it with this error as its last item; what still waits is dropped, and the error says from where to go on. */
  fail(error: FleetError): void {
    if (this.#end) return;
    this.#drop();
    const cursor = this.#lastCursor === undefined ? {} : { cursor: this.#lastCursor };
    const answer: GraphAnswer = {
      errors: [{ message: error.message, extensions: { ...error.extensions, ...cursor } }],
    };
    this.#give({ answer });
    this.#finish({ kind: 'ended' });
    this.stop();
  }

  /** Ends it; what still waits is dropped. */
  close(): void {
    this.#drop();
    this.#finish({ kind: 'ended' });
    this.stop();
  }

  async next(): Promise<IteratorResult<StreamItem>> {
    const pulled = await this.#pull();
    if (pulled.kind === 'failed') throw pulled.error;
    if (pulled.kind === 'ended') return { value: undefined, done: true };
    if (pulled.item.id !== undefined) this.#lastCursor = pulled.item.id;
    return { value: pulled.item, done: false };
  }

  return(): Promise<IteratorResult<StreamItem>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pump(source: AsyncIterable<StreamItem>): Promise<void> {
    try {
      for await (const item of source) {
        if (this.#end) return;
        if (item.answer) this.#give(item);
        else if (item.id !== undefined) this.#bookmark = item.id;
        if (this.#isOver()) {
          this.onSlow();
          return this.fail(new FleetError('SLOW_CONSUMER', 'you read too slowly: go on after the cursor'));
        }
      }
      this.#finish({ kind: 'ended' });
    } catch (error) {
      this.#finish({ kind: 'failed', error });
    }
  }

  #isOver(): boolean {
    return this.#queue.length > this.limits.maxEvents || this.#queuedBytes > this.limits.maxBytes;
  }

  #give(item: StreamItem): void {
    // A place behind this item is known again only after it.
    this.#bookmark = undefined;
    if (this.#waiter) {
      this.#wake({ kind: 'item', item });
      return;
    }
    const sizeBytes = ITEM_BYTES + (item.answer ? Buffer.byteLength(textOf(item.answer)) : 0);
    this.#queue.push({ item, sizeBytes });
    this.#queuedBytes += sizeBytes;
  }

  #pull(): Promise<Pulled> {
    const waiting = this.#queue.shift();
    if (waiting) {
      this.#queuedBytes -= waiting.sizeBytes;
      return Promise.resolve({ kind: 'item', item: waiting.item });
    }
    if (this.#end) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  #finish(end: Exclude<Pulled, { kind: 'item' }>): void {
    this.#end ??= end;
    this.#wake(this.#end);
  }

  #wake(pulled: Pulled): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(pulled);
  }

  #drop(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }
}
