import type { AnyAnswer, StreamItem } from '../engine.ts';
import { GONE } from '../leave-signal.ts';
import { StreamBatch } from './stream-batch.ts';
import { StreamWindow, type WindowLimits } from './stream-window.ts';

/**
 * How long followers are left alone after they were told, for each of them, and at most: what comes meanwhile they are told
 * at once. About what telling one costs, so that one stream never takes more than half of the loop.
 */
const REST_MS = { perFollower: 0.05, least: 2, most: 50 } as const;

/** Followers that are told between two turns of the loop. */
const WOKEN_AT_ONCE = 128;

/** What share of the window may be unread before the followers are waited for, and for how many turns of the loop. */
const AHEAD = 0.25;
const TURNS = 64;

/** How a stream came to its end. */
export type StreamEnd =
  | { kind: 'complete' }
  /** The last item bears errors and no data. */
  | { kind: 'final'; item: StreamItem<AnyAnswer> }
  | { kind: 'failed'; error: unknown }
  /** Another one has all that this one had. */
  | { kind: 'met' };

/** What following it came to. */
export type Following = StreamEnd | { kind: 'behind' } | { kind: 'left' };

export interface SharedStreamOptions {
  /** The cursor it starts behind; undefined: it starts now. */
  after: string | undefined;
  limits: WindowLimits;
  /** Its source; ends on the signal. */
  open(signal: AbortSignal): AsyncIterable<StreamBatch>;
  /** Told when something was taken, and of the end. */
  onNews(): void;
  onEnd(): void;
}

/** One upstream and those who follow it, each at its own place. Ends with its last follower. */
export class SharedStream {
  readonly window: StreamWindow;
  /** Whether it is where events are now, so that who has no cursor may join. */
  isLive: boolean;
  #last: string | undefined;
  /** Whether its source has been silent for long. */
  #isStale = false;
  #end: StreamEnd | undefined;
  #followers = 0;
  readonly #waiting = new Set<() => void>();
  /** What was taken since all followers had everything, as a share of the window. */
  #unread = 0;
  /** The window's end when the followers were last told. */
  #toldUpTo = 0;
  #rest: NodeJS.Timeout | undefined;
  /** Whether something came during the rest. */
  #isDue = false;
  readonly #ending = new AbortController();

  constructor(private readonly options: SharedStreamOptions) {
    this.window = new StreamWindow(options.limits, options.after);
    this.isLive = options.after === undefined;
    this.#last = options.after;
  }

  /** The cursor of its newest item or bookmark. */
  get last(): string | undefined {
    return this.#last;
  }

  get followers(): number {
    return this.#followers;
  }

  /**
   * Everything from a place on, until it ends, the follower leaves, or falls out of the window.
   * @param greeting a bookmark to begin with, for who comes without a cursor
   */
  async *follow(
    from: number,
    signal: AbortSignal,
    greeting?: string,
  ): AsyncGenerator<StreamBatch, Following, undefined> {
    let goOn = () => {};
    // Its own waiting alone: of a herd that leaves each would wake all.
    const leave = () => {
      this.#waiting.delete(goOn);
      goOn();
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#followers += 1;
    if (this.#followers === 1) void this.#pump();
    let place = from;
    let told = greeting;
    let hasMore = false;
    let isToldStale = false;
    try {
      if (greeting !== undefined) yield new StreamBatch([{ id: greeting }]);
      while (!signal.aborted) {
        const batch = this.window.from(place);
        if (batch === 'gone') return { kind: 'behind' };
        if (batch) {
          // Whoever catches up leaves turns of the loop to the sockets it writes to, and to all others.
          if (hasMore) await new Promise((resolve) => setImmediate(resolve));
          place += batch.items.length;
          isToldStale = false;
          hasMore = true;
          yield batch;
          continue;
        }
        const { bookmark } = this.window;
        if (bookmark !== undefined && bookmark !== told) {
          told = bookmark;
          isToldStale = false;
          yield new StreamBatch([{ id: bookmark }]);
          continue;
        }
        if (this.#isStale && !isToldStale) {
          isToldStale = true;
          yield new StreamBatch([{ isStale: true }]);
          continue;
        }
        if (this.#end) return this.#end;
        hasMore = false;
        await new Promise<void>((resolve) => {
          goOn = resolve;
          this.#waiting.add(resolve);
        });
      }
      return { kind: 'left' };
    } finally {
      signal.removeEventListener('abort', leave);
      this.#followers -= 1;
      if (this.#followers === 0) this.finish({ kind: 'complete' });
    }
  }

  /** Ends it; its followers get what is there, then the end. */
  finish(end: StreamEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#ending.abort(GONE);
    this.options.onEnd();
    clearTimeout(this.#rest);
    this.#wake();
  }

  async #pump(): Promise<void> {
    try {
      for await (const { items } of this.options.open(this.#ending.signal)) {
        for (const item of items) {
          if (this.#end) return;
          this.#take(item);
          if (this.#unread > AHEAD) await this.#followed();
        }
        if (this.#end) return;
        if (this.#rest === undefined) this.#tell();
        else this.#isDue = true;
        this.options.onNews();
      }
      this.finish({ kind: 'complete' });
    } catch (error) {
      this.finish({ kind: 'failed', error });
    }
  }

  #take(item: StreamItem<AnyAnswer>): void {
    this.#isStale = item.isStale === true;
    if (item.answer && item.answer.data === undefined) {
      this.finish({ kind: 'final', item });
      return;
    }
    // Not above the last: an upstream that was resumed too early (STREAMS.md 4.3).
    if (item.answer && item.id !== undefined && this.window.placeOf(item.id) !== undefined) return;
    // All who wait have what there was when they were last told.
    if (this.#waiting.size === this.#followers && this.#toldUpTo === this.window.end) this.#unread = 0;
    if (item.answer) this.#unread += this.window.push(item);
    else if (item.id !== undefined) this.window.move(item.id);
    this.#last = item.id ?? this.#last;
  }

  /** Lets the followers come after, so that an upstream that tells much at once does not drive them out of the window. */
  async #followed(): Promise<void> {
    this.#wake();
    for (let turns = 0; turns < TURNS && !this.#end && this.#waiting.size < this.#followers; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Tells everybody now, and next only after a rest: many followers take longer to tell than one event to come. */
  #tell(): void {
    const followers = this.#waiting.size;
    this.#wake();
    const restMs = Math.min(REST_MS.most, followers * REST_MS.perFollower);
    if (restMs < REST_MS.least) return;
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      if (!this.#isDue) return;
      this.#isDue = false;
      this.#tell();
    }, restMs);
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#toldUpTo = this.window.end;
    wakeSome(waiting, 0);
  }
}

/** Each writes to a connection: thousands of them leave turns of the loop to others. */
function wakeSome(waiting: readonly (() => void)[], from: number): void {
  const to = Math.min(from + WOKEN_AT_ONCE, waiting.length);
  for (let at = from; at < to; at += 1) waiting[at]?.();
  if (to < waiting.length) setImmediate(() => wakeSome(waiting, to));
}
