import type { StreamItem } from '../engine.ts';
import { StreamWindow, type WindowLimits } from './stream-window.ts';

/** Items that one follower takes before others have their turn. */
const ITEMS_PER_TURN = 32;

/** How a stream came to its end. */
export type StreamEnd =
  | { kind: 'complete' }
  /** The last item bears errors and no data. */
  | { kind: 'final'; item: StreamItem }
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
  open(signal: AbortSignal): AsyncIterable<StreamItem>;
  /** Told of each item that was taken, and of the end. */
  onItem(): void;
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
  ): AsyncGenerator<StreamItem, Following, undefined> {
    const wake = () => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    this.#followers += 1;
    if (this.#followers === 1) void this.#pump();
    let place = from;
    let told = greeting;
    let inARow = 0;
    try {
      if (greeting !== undefined) yield { id: greeting };
      while (!signal.aborted) {
        const item = this.window.at(place);
        if (item === 'gone') return { kind: 'behind' };
        if (item) {
          place += 1;
          inARow += 1;
          // Whoever catches up leaves turns of the loop to the sockets it writes to, and to all others.
          if (inARow % ITEMS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
          yield item;
          continue;
        }
        const { bookmark } = this.window;
        if (bookmark !== undefined && bookmark !== told) {
          told = bookmark;
          yield { id: bookmark };
          continue;
        }
        if (this.#end) return this.#end;
        inARow = 0;
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
    this.#wake();
  }

  async #pump(): Promise<void> {
    try {
      for await (const item of this.options.open(this.#ending.signal)) {
        if (this.#end) return;
        this.#take(item);
      }
      this.finish({ kind: 'complete' });
    } catch (error) {
      this.finish({ kind: 'failed', error });
    }
  }

  #take(item: StreamItem): void {
    if (item.answer && !('data' in item.answer)) {
      this.finish({ kind: 'final', item });
      return;
    }
    if (item.answer) this.window.push(item);
    else if (item.id !== undefined) this.window.move(item.id);
    this.#last = item.id ?? this.#last;
    this.#wake();
    this.options.onItem();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) each();
  }
}
