import type { AnyAnswer, StreamItem } from '../engine.ts';
import { StreamBatch } from './stream-batch.ts';
import { StreamWindow, type WindowLimits } from './stream-window.ts';

/**
 * How long followers are left alone after they were told, for each of them, and at most: what comes meanwhile they are told
 * at once. About what telling one costs, so that one stream never takes more than half of the loop.
 */
const REST_MS = { perFollower: 0.05, least: 2, most: 50 } as const;

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
  #end: StreamEnd | undefined;
  #followers = 0;
  #waiting: (() => void)[] = [];
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
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    this.#followers += 1;
    if (this.#followers === 1) void this.#pump();
    let place = from;
    let told = greeting;
    let hasMore = false;
    try {
      if (greeting !== undefined) yield new StreamBatch([{ id: greeting }]);
      while (!signal.aborted) {
        const batch = this.window.from(place);
        if (batch === 'gone') return { kind: 'behind' };
        if (batch) {
          // Whoever catches up leaves turns of the loop to the sockets it writes to, and to all others.
          if (hasMore) await new Promise((resolve) => setImmediate(resolve));
          place += batch.items.length;
          hasMore = true;
          yield batch;
          continue;
        }
        const { bookmark } = this.window;
        if (bookmark !== undefined && bookmark !== told) {
          told = bookmark;
          yield new StreamBatch([{ id: bookmark }]);
          continue;
        }
        if (this.#end) return this.#end;
        hasMore = false;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      return { kind: 'left' };
    } finally {
      signal.removeEventListener('abort', wake);
      this.#followers -= 1;
      if (this.#followers === 0) this.finish({ kind: 'complete' });
    }
  }

  /** Ends it; its followers get what is there, then the end. */
  finish(end: StreamEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#ending.abort();
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
    if (item.answer && item.answer.data === undefined) {
      this.finish({ kind: 'final', item });
      return;
    }
    // All who wait have what there was when they were last told.
    if (this.#waiting.length === this.#followers && this.#toldUpTo === this.window.end) this.#unread = 0;
    if (item.answer) this.#unread += this.window.push(item);
    else if (item.id !== undefined) this.window.move(item.id);
    this.#last = item.id ?? this.#last;
  }

  /** Lets the followers come after, so that an upstream that tells much at once does not drive them out of the window. */
  async #followed(): Promise<void> {
    this.#wake();
    for (let turns = 0; turns < TURNS && !this.#end && this.#waiting.length < this.#followers; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Tells everybody now, and next only after a rest: many followers take longer to tell than one event to come. */
  #tell(): void {
    const followers = this.#waiting.length;
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
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#toldUpTo = this.window.end;
    for (const each of waiting) each();
  }
}
