import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Refused } from '../engine.ts';
import { GONE } from '../leave-signal.ts';
import { StreamBatch } from '../subscribe/stream-batch.ts';
import type { Generation, PlacedOperation } from './generation.ts';

/** How many streams are moved between two turns of the event loop. */
const MOVED_AT_ONCE = 50;

export interface RunningStreamsOptions {
  /** Whether streams may stay where they are. */
  isServed(generation: Generation): boolean;
  /** Prepares on the generation of now. */
  prepareAgain(operation: PlacedOperation): Promise<PlacedOperation | Refused>;
}

/** One stream, wherever it runs. */
interface Stream {
  at: PlacedOperation;
  /** Where it goes next; refused: nowhere. */
  next: PlacedOperation | Refused | undefined;
  /** The cursor of what the client has. */
  last: string | undefined;
  /** Ends its run on the generation it is on. */
  leaving: AbortController;
}

/**
 * Subscriptions over changes of the schema (STREAMS.md 4.5): one that is still valid goes on after its last cursor where
 * the schema is now, unseen; one that has no cursor yet goes on where it is until it has one, because starting anew would
 * be a hole.
 */
export class RunningStreams {
  readonly #streams = new Set<Stream>();

  constructor(private readonly options: RunningStreamsOptions) {}

  get size(): number {
    return this.#streams.size;
  }

  /** As Engine.subscribe, with a final SCHEMA_CHANGED when the schema has the operation no more. */
  async *run(placed: PlacedOperation, call: Call, signal: AbortSignal): AsyncGenerator<StreamBatch, void, undefined> {
    const stream: Stream = { at: placed, next: undefined, last: call.lastEventId, leaving: new AbortController() };
    const leave = () => stream.leaving.abort(GONE);
    signal.addEventListener('abort', leave, { once: true });
    this.#streams.add(stream);
    // It may have been prepared before a change and begin after it: nothing was sent yet, so nothing can be lost.
    if (!this.options.isServed(placed.generation)) await this.#depart(stream);
    try {
      while (!signal.aborted) {
        const { next } = stream;
        stream.next = undefined;
        if (next && 'errors' in next) return yield lastWord(next, stream.last);
        if (next) stream.at = next;
        if (next) stream.leaving = new AbortController();
        if (signal.aborted) return;
        yield* this.#stay(stream, call);
        if (!stream.next) return;
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.#streams.delete(stream);
      stream.leaving.abort(GONE);
    }
  }

  /** Sends every stream on that runs where it may not stay. Resolves when each was told. */
  async move(): Promise<void> {
    let moved = 0;
    for (const stream of [...this.#streams]) {
      if (this.options.isServed(stream.at.generation)) continue;
      await this.#depart(stream);
      moved += 1;
      if (moved % MOVED_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The stream on one generation, until it ends or has to go on. */
  async *#stay(stream: Stream, call: Call): AsyncGenerator<StreamBatch, void, undefined> {
    const { at, leaving, last } = stream;
    const from = last === undefined ? call : { ...call, lastEventId: last };
    for await (const batch of at.generation.engine.subscribe(at.inner, from, leaving.signal)) {
      // What comes after it was told to leave may be cut off half-done; it comes again where it goes on.
      if (leaving.signal.aborted) return;
      stream.last = batch.cursor ?? stream.last;
      yield batch;
      if (batch.isFinal) {
        stream.next = undefined;
        return;
      }
      if (stream.next && stream.last !== undefined) return;
    }
  }

  async #depart(stream: Stream): Promise<void> {
    let next: PlacedOperation | Refused;
    // The schema may change again while it is prepared.
    do next = await this.options.prepareAgain(stream.at);
    while (!('errors' in next) && !this.options.isServed(next.generation));
    stream.next = next;
    if ('errors' in next || stream.last !== undefined) stream.leaving.abort(GONE);
  }
}

function lastWord({ errors }: Refused, cursor: string | undefined): StreamBatch {
  const { message, extensions } = new FleetError(
    'SCHEMA_CHANGED',
    'the schema no longer has what this stream selects: mend the operation and subscribe after your last cursor',
    { ...(cursor === undefined ? {} : { cursor }), reasons: errors.slice(0, 3).map((error) => error.message) },
  );
  return new StreamBatch([{ answer: { errors: [{ message, extensions }] } }]);
}
