import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { RowBlock, StoredGroup } from '../../../lib/telemetry-store/index.ts';
import type { LogTail } from '../entity/index.ts';
import { entryOf, type LogCriteria, type LogRow, type LogStore, matcherOf, type TailPlace } from '../store/index.ts';
import { END, TailWindow } from './tail-window.ts';

/** How far the durable rows reach (STREAMS.md 6): of this process alone, or the lowest of several. */
export interface Watermark {
  readonly watermark: number;
}

/** A running tail; `bookmark` is the place read through, also where the filter was quiet. */
export interface TailSubscription extends AsyncIterableIterator<LogTail> {
  bookmark(): string;
}

export const TAIL_LIST = 'tail';
const PAYLOAD = 500;

/**
 * Live log entries: what is durable up to the watermark, in the order it became so. The newest rows are in memory; whoever is
 * further behind, or filters by what only the store can tell, is served from the store, so that nobody misses anything.
 */
export class Tails {
  readonly #window = new TailWindow();
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
    this.#window.open(this.mark.watermark);
  }

  /** Takes a durable group. */
  take(group: StoredGroup<RowBlock>): void {
    this.#window.add(group);
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
    if (!matches || !this.#window.reaches(at)) return await this.store.tail(criteria, at, mark, PAYLOAD);
    const rows: LogRow[] = [];
    for (const row of this.#window.behind(at)) {
      if (row.stamp > mark || rows.length === PAYLOAD) break;
      if (matches(row)) rows.push(row);
    }
    return rows;
  }

  #payload(rows: LogRow[], at: TailPlace): LogTail {
    return { cursor: this.cursors.seal(TAIL_LIST, [at.stamp, at.seq]), entries: rows.map(entryOf), missed: 0 };
  }
}
