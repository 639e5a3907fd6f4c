import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { InsertedGroup } from '../../../lib/telemetry-store/index.ts';
import type { LogTail } from '../entity/index.ts';
import {
  entryOf,
  type LogCriteria,
  type LogRow,
  type LogStore,
  matcherOf,
  type NewLogRow,
  type TailPlace,
} from '../store/index.ts';

/** How far the durable rows reach (STREAMS.md 6): of this process alone, or the lowest of several. */
export interface Watermark {
  readonly watermark: number;
}

/** A running tail; `bookmark` is the place read through, also where the filter was quiet. */
export interface TailSubscription extends AsyncIterableIterator<LogTail> {
  bookmark(): string;
}

export const TAIL_LIST = 'tail';
const WINDOW_ROWS = 20_000;
const WINDOW_CHARACTERS = 16 * 1024 * 1024;
const PAYLOAD = 500;
/** Behind every row of a group. */
const END = 2 ** 32 - 1;

/**
 * Live log entries: what is durable up to the watermark, in the order it became so. The newest rows are in memory; whoever is
 * further behind, or filters by what only the store can tell, is served from the store, so that nobody misses anything.
 */
export class Tails {
  #window: LogRow[] = [];
  #characters = 0;
  /** Rows above this stamp are all in the window. */
  #windowFrom = 0;
  #waiting = new Set<() => void>();
  #stopped = false;

  constructor(
    private readonly store: Pick<LogStore, 'tail'>,
    private readonly mark: Watermark,
    private readonly cursors: CursorSealer,
    private readonly sweptStamp: () => Promise<number>,
  ) {}

  /** Starts the window: older rows are read from the store. */
  open(): void {
    this.#windowFrom = this.mark.watermark;
  }

  /** Takes a durable group. */
  take({ stamp, rows }: InsertedGroup<NewLogRow>): void {
    for (const [seq, row] of rows.entries()) {
      this.#window.push({ ...row, stamp, seq });
      this.#characters += row.body.length + 256;
    }
    if (this.#window.length > WINDOW_ROWS || this.#characters > WINDOW_CHARACTERS) this.#shorten();
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** The cursor of what is durable now. */
  cursor(stamp = this.mark.watermark): string {
    return this.cursors.seal(TAIL_LIST, [stamp, END]);
  }

  /**
   * Follows what matches.
   * @param after goes on behind this cursor; nothing means from now
   * @throws BAD_CURSOR for a forged one; RESUME_GAP when retention removed what is behind it, or the store was set back
   */
  async follow(criteria: LogCriteria, after: string | null | undefined): Promise<TailSubscription> {
    return this.#iterate(criteria, await this.#start(after));
  }

  stop(): void {
    this.#stopped = true;
    for (const wake of this.#waiting) wake();
  }

  async #start(after: string | null | undefined): Promise<TailPlace> {
    if (after == null) return { stamp: this.mark.watermark, seq: END };
    const [stamp, seq] = this.cursors.open(TAIL_LIST, after) as [number, number];
    const swept = await this.sweptStamp();
    if (stamp > this.mark.watermark || stamp < swept) {
      throw new FleetError(
        'RESUME_GAP',
        'entries behind this cursor are gone: query anew, then follow after its changeCursor',
        {
          cursor: this.cursor(Math.min(swept, this.mark.watermark)),
        },
      );
    }
    return { stamp, seq };
  }

  #iterate(criteria: LogCriteria, start: TailPlace): TailSubscription {
    const matches = matcherOf(criteria);
    let at = start;
    let done = false;
    let wakeUp: (() => void) | undefined;
    const next = async (): Promise<IteratorResult<LogTail>> => {
      while (!done && !this.#stopped) {
        const mark = this.mark.watermark;
        if (at.stamp < mark || (at.stamp === mark && at.seq < END)) {
          const rows = await this.#read(criteria, matches, at, mark);
          const last = rows.at(-1);
          at = rows.length === PAYLOAD && last ? { stamp: last.stamp, seq: last.seq } : { stamp: mark, seq: END };
          if (rows.length) return { value: this.#payload(rows, at), done: false };
          continue;
        }
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
          this.#waiting.add(resolve);
        });
        if (wakeUp) this.#waiting.delete(wakeUp);
      }
      return { value: undefined, done: true };
    };
    const end = (): Promise<IteratorResult<LogTail>> => {
      done = true;
      wakeUp?.();
      return Promise.resolve({ value: undefined, done: true });
    };
    return {
      next,
      return: end,
      throw: end,
      bookmark: () => this.cursors.seal(TAIL_LIST, [at.stamp, at.seq]),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async #read(
    criteria: LogCriteria,
    matches: ((row: LogRow) => boolean) | undefined,
    at: TailPlace,
    mark: number,
  ): Promise<LogRow[]> {
    const whole = at.stamp > this.#windowFrom || (at.stamp === this.#windowFrom && at.seq === END);
    if (!matches || !whole) return await this.store.tail(criteria, at, mark, PAYLOAD);
    const rows: LogRow[] = [];
    for (let index = this.#indexBehind(at); index < this.#window.length && rows.length < PAYLOAD; index += 1) {
      const row = this.#window[index] as LogRow;
      if (row.stamp <= mark && matches(row)) rows.push(row);
    }
    return rows;
  }

  /** Index of the first row of the window behind a place. */
  #indexBehind({ stamp, seq }: TailPlace): number {
    let [low, high] = [0, this.#window.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = this.#window[middle] as LogRow;
      if (row.stamp < stamp || (row.stamp === stamp && row.seq <= seq)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Drops the older half, whole groups only. */
  #shorten(): void {
    const middle = this.#window[this.#window.length >>> 1] as LogRow;
    this.#window = this.#window.filter(({ stamp }) => stamp > middle.stamp);
    this.#windowFrom = middle.stamp;
    this.#characters = this.#window.reduce((sum, { body }) => sum + body.length + 256, 0);
  }

  #payload(rows: LogRow[], at: TailPlace): LogTail {
    return { cursor: this.cursors.seal(TAIL_LIST, [at.stamp, at.seq]), entries: rows.map(entryOf), missed: 0 };
  }
}
