import { FleetError } from '../../lib/errors.ts';
import { SharedStream } from './shared-stream.ts';
import { StreamBatch } from './stream-batch.ts';
import type { WindowLimits } from './stream-window.ts';

/** What is kept of each stream for those who come late. */
const WINDOW: WindowLimits = { maxEvents: 1_000, maxBytes: 2_000_000 };

/** One subscription that may share its stream with others. */
export interface Sharing {
  /** Equal for those who are to get the same. */
  key: string;
  /** The cursor it goes on after; undefined: from now. */
  after: string | undefined;
  /** Ends when it fires. */
  signal: AbortSignal;
  /** Opens a stream of the same after a cursor; without one, where the subscription itself says. */
  open(after: string | undefined, signal: AbortSignal): AsyncIterable<StreamBatch>;
}

/**
 * Equal subscriptions on one stream (STREAMS.md 4.1). Who comes with a cursor joins where it is in the window of one that
 * runs; else it gets a stream of its own, until that one's cursor is found in another's window: then both are one.
 * How it ends is told to all who have everything of it: each would be told the same, and all at once would ask.
 */
export class SharedStreams {
  readonly #streams = new Map<string, SharedStream[]>();

  constructor(private readonly limits: WindowLimits = WINDOW) {}

  /** Streams that run now, and who follows them. */
  get size(): { streams: number; followers: number } {
    const all = [...this.#streams.values()].flat();
    return { streams: all.length, followers: all.reduce((sum, { followers }) => sum + followers, 0) };
  }

  /** @throws what the stream was refused with or lost by */
  async *run(sharing: Sharing): AsyncGenerator<StreamBatch, void, undefined> {
    const { signal } = sharing;
    let last = sharing.after;
    while (!signal.aborted) {
      const joined = this.#join(sharing.key, last);
      const { stream, place } = joined ?? { stream: this.#open(sharing, last), place: 0 };
      const greeting = joined && last === undefined ? stream.last : undefined;
      const following = stream.follow(place, signal, greeting);
      let step = await following.next();
      try {
        for (; !step.done; step = await following.next()) {
          last = step.value.cursor ?? last;
          yield step.value;
        }
      } finally {
        void following.return({ kind: 'left' });
      }
      const ended = step.value;
      if (ended.kind === 'complete' || ended.kind === 'left') return;
      if (ended.kind === 'behind' || ended.kind === 'met') {
        if (last === undefined) throw fallenBehind();
        continue;
      }
      if (ended.kind === 'failed') throw ended.error;
      yield new StreamBatch([ended.item]);
      return;
    }
  }

  /** A running stream that knows the cursor, or one that is at what happens now. */
  #join(key: string, cursor: string | undefined): { stream: SharedStream; place: number } | undefined {
    for (const stream of this.#streams.get(key) ?? []) {
      const place = cursor === undefined ? liveEnd(stream) : stream.window.placeOf(cursor);
      if (place !== undefined) return { stream, place };
    }
    return undefined;
  }

  #open({ key, after: asked, open }: Sharing, after: string | undefined): SharedStream {
    const stream: SharedStream = new SharedStream({
      after,
      limits: this.limits,
      open: (signal) => open(after === asked ? undefined : after, signal),
      onNews: () => this.#meet(key, stream),
      onEnd: () => this.#remove(key, stream),
    });
    const others = this.#streams.get(key);
    if (others) others.push(stream);
    else this.#streams.set(key, [stream]);
    return stream;
  }

  /** Ends a stream when an older one has its cursor by now: its followers go on there. */
  #meet(key: string, stream: SharedStream): void {
    const all = this.#streams.get(key);
    if (!all || all.length < 2) return;
    const at = all.indexOf(stream);
    const older = all.slice(0, at).find((each) => knows(each, stream.last));
    if (older) this.#unite(stream, older);
    else for (const younger of all.slice(at + 1)) if (knows(stream, younger.last)) this.#unite(younger, stream);
  }

  #unite(younger: SharedStream, older: SharedStream): void {
    older.isLive ||= younger.isLive;
    younger.finish({ kind: 'met' });
  }

  #remove(key: string, stream: SharedStream): void {
    const others = this.#streams.get(key)?.filter((each) => each !== stream) ?? [];
    if (others.length === 0) this.#streams.delete(key);
    else this.#streams.set(key, others);
  }
}

function liveEnd({ isLive, window }: SharedStream): number | undefined {
  return isLive ? window.end : undefined;
}

function knows({ window }: SharedStream, cursor: string | undefined): boolean {
  return cursor !== undefined && window.placeOf(cursor) !== undefined;
}

function fallenBehind(): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', 'the stream was lost before its first cursor: subscribe again');
}
