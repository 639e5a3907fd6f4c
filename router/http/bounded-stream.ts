import { FleetError } from '../../lib/errors.ts';
import type { GraphAnswer } from '../engine.ts';
import { StreamBatch } from '../subscribe/stream-batch.ts';

/** How much may wait for one slow reader. */
export const STREAM_QUEUE = { maxEvents: 1_000, maxBytes: 1_000_000 } as const;

/** What waits in the queues of one connection, together. */
export class QueueRoom {
  bytes = 0;
  events = 0;

  add(batch: StreamBatch): void {
    this.bytes += batch.weightBytes;
    this.events += batch.told;
  }

  remove(batch: StreamBatch): void {
    this.bytes -= batch.weightBytes;
    this.events -= batch.told;
  }
}

type Pulled = { kind: 'batch'; batch: StreamBatch } | { kind: 'ended' } | { kind: 'failed'; error: unknown };

/**
 * Stands between a source and a reader: the source is never held up, the queue is bounded, and a reader that falls behind
 * it gets SLOW_CONSUMER with the cursor of the last batch it took (STREAMS.md 4.3).
 */
export class BoundedStream implements AsyncIterableIterator<StreamBatch> {
  readonly #queue: StreamBatch[] = [];
  #end: Exclude<Pulled, { kind: 'batch' }> | undefined;
  #waiter: ((pulled: Pulled) => void) | undefined;
  #lastCursor: string | undefined;
  #bookmark: string | undefined;
  #isStale = false;

  /**
   * @param stop ends the source
   * @param onSlow told when the reader is cut for its slowness
   * @param room shared with what else waits for the same reader
   */
  constructor(
    source: AsyncIterable<StreamBatch>,
    private readonly stop: () => void,
    private readonly limits: { maxEvents: number; maxBytes: number } = STREAM_QUEUE,
    private readonly onSlow: () => void = () => undefined,
    private readonly room: QueueRoom = new QueueRoom(),
  ) {
    void this.#pump(source);
  }

  /** The latest place up to which the reader has everything, for heartbeats. */
  get bookmark(): string | undefined {
    return this.#queue.length === 0 ? (this.#bookmark ?? this.#lastCursor) : this.#lastCursor;
  }

  /** A sign of life for who asked for one: how far he is, and whether the source has been silent for long (STREAMS.md 4.4). */
  get heartbeat(): StreamBatch {
    const { bookmark: cursor } = this;
    const extensions = { heartbeat: true, stale: this.#isStale, ...(cursor === undefined ? {} : { cursor }) };
    return new StreamBatch([{ answer: { data: null, extensions } }]);
  }

  /** Ends it with this error as its last item; what still waits is dropped, and the error says from where to go on. */
  fail(error: FleetError): void {
    if (this.#end) return;
    this.#drop();
    const cursor = this.#lastCursor === undefined ? {} : { cursor: this.#lastCursor };
    const answer: GraphAnswer = {
      errors: [{ message: error.message, extensions: { ...error.extensions, ...cursor } }],
    };
    this.#give(new StreamBatch([{ answer }]));
    this.#finish({ kind: 'ended' });
    this.stop();
  }

  /** Ends it; what still waits is dropped. */
  close(): void {
    this.#drop();
    this.#finish({ kind: 'ended' });
    this.stop();
  }

  async next(): Promise<IteratorResult<StreamBatch>> {
    const pulled = await this.#pull();
    if (pulled.kind === 'failed') throw pulled.error;
    if (pulled.kind === 'ended') return { value: undefined, done: true };
    this.#lastCursor = pulled.batch.cursor ?? this.#lastCursor;
    return { value: pulled.batch, done: false };
  }

  return(): Promise<IteratorResult<StreamBatch>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pump(source: AsyncIterable<StreamBatch>): Promise<void> {
    try {
      for await (const batch of source) {
        if (this.#end) return;
        this.#isStale = batch.isStale;
        if (batch.told > 0) this.#give(batch);
        else this.#bookmark = batch.cursor ?? this.#bookmark;
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
    return this.room.events > this.limits.maxEvents || this.room.bytes > this.limits.maxBytes;
  }

  #give(batch: StreamBatch): void {
    // A place behind this one is known again only after it.
    this.#bookmark = undefined;
    if (this.#waiter) {
      this.#wake({ kind: 'batch', batch });
      return;
    }
    this.#queue.push(batch);
    this.room.add(batch);
  }

  #pull(): Promise<Pulled> {
    const batch = this.#queue.shift();
    if (batch) {
      this.room.remove(batch);
      return Promise.resolve({ kind: 'batch', batch });
    }
    if (this.#end) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      this.#waiter = resolve;
    });
  }

  #finish(end: Exclude<Pulled, { kind: 'batch' }>): void {
    this.#end ??= end;
    this.#wake(this.#end);
  }

  #wake(pulled: Pulled): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(pulled);
  }

  #drop(): void {
    for (const batch of this.#queue.splice(0)) this.room.remove(batch);
  }
}
