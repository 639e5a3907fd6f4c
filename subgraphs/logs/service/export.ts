import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { type LogCriteria, type LogRow, type LogStore } from '../store/index.ts';
import { EXPORT_FORMATS, type ExportFormat } from './export-formats.ts';
import { criteriaOf } from './filter.ts';
import type { SavedSearches } from './saved-searches.ts';
import type { Watermark } from './tail.ts';

/** An export that has begun. */
export interface Export {
  contentType: string;
  /** How many entries there will be; null when counting takes too long. */
  total: number | null;
  /** More than so many are not given out at once. */
  limit: number;
  chunks: AsyncIterable<string | Uint8Array>;
}

const MAX_RUNNING = 4;
const FIRST_ROWS = 10;
const MAX_ROWS = 2_000;
/** What a chunk is to weigh, characters: the next one has as many rows as the last one's weight allows. */
const CHUNK = 2_000_000;
/** Of a row's own: times, ids, names. */
const ROW_CHARACTERS = 300;

/** Entries as a file: all that match, newest first, of one moment, with a few chunks in memory whatever its size. */
export class Exports {
  #running = 0;

  constructor(
    private readonly store: LogStore,
    private readonly searches: SavedSearches,
    private readonly mark: Watermark,
    private readonly clock: Clock,
    /** Entries that one export has at most. */
    private readonly maxRows: number,
  ) {}

  /**
   * Begins an export: what is wrong with it is told before the first byte.
   * @param limit how many entries at most; as many as the setting says unless given
   * @throws BAD_INPUT, BAD_QUERY for what is asked; OVERLOADED while four run
   */
  async open(filter: LogFilter, format: ExportFormat, limit = this.maxRows): Promise<Export> {
    if (!Number.isInteger(limit) || limit < 1 || limit > this.maxRows) {
      throw new FleetError('BAD_INPUT', `limit is 1 to ${this.maxRows}`, { field: ['limit'] });
    }
    const criteria = criteriaOf(await this.searches.expanded(filter), this.clock.nowMs());
    const { watermark } = this.mark;
    if (this.#running >= MAX_RUNNING) {
      throw new FleetError('OVERLOADED', `${MAX_RUNNING} exports run already`, { retryAfterMs: 5_000 });
    }
    this.#running += 1;
    const leave = once(() => {
      this.#running -= 1;
    });
    try {
      const first = await this.#page(criteria, watermark, Math.min(FIRST_ROWS, limit), undefined);
      const counted = await this.store.count(criteria, watermark);
      const total = counted === null ? null : Math.min(counted, limit);
      const { contentType } = EXPORT_FORMATS[format];
      const chunks = ending(this.#chunks(criteria, format, watermark, first, limit), leave);
      return { contentType, total, limit, chunks };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async *#chunks(
    criteria: LogCriteria,
    format: ExportFormat,
    watermark: number,
    first: LogRow[],
    limit: number,
  ): AsyncGenerator<string | Uint8Array> {
    const file = EXPORT_FORMATS[format].begin();
    let rows = first;
    let asked = Math.min(FIRST_ROWS, limit);
    let given = 0;
    while (rows.length) {
      const chunk = file.write(rows);
      given += rows.length;
      if (chunk.length) yield chunk;
      if (rows.length < asked || given >= limit) break;
      asked = Math.min(limit - given, sized(weightOf(rows) / rows.length, asked));
      rows = await this.#page(criteria, watermark, asked, rows.at(-1));
    }
    const end = file.end();
    if (end.length) yield end;
  }

  async #page(criteria: LogCriteria, watermark: number, limit: number, behind: LogRow | undefined): Promise<LogRow[]> {
    const after = behind ? { after: [behind.time, behind.stamp, behind.seq] } : {};
    const { rows } = await this.store.page(criteria, { limit, backward: false, ...after }, watermark);
    return rows.slice(0, limit);
  }
}

/** Characters of rows, roughly. */
function weightOf(rows: readonly LogRow[]): number {
  const weight = ({ body, resource, attributes }: LogRow) =>
    Object.values(attributes).reduce((sum, text) => sum + text.length, ROW_CHARACTERS + body.length + resource.length);
  return rows.reduce((sum, row) => sum + weight(row), 0);
}

/** How many rows come next: as the last ones weighed, and at most eight times as many, for the next ones may weigh more. */
function sized(charactersEach: number, last: number): number {
  return Math.max(1, Math.min(MAX_ROWS, last * 8, Math.floor(CHUNK / charactersEach)));
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

/** The same chunks; `end` is called when they are over, also when nobody ever asked for the first one. */
function ending<T>(chunks: AsyncGenerator<T>, end: () => void): AsyncIterable<T> {
  const iterator: AsyncIterator<T> = {
    async next() {
      try {
        const result = await chunks.next();
        if (result.done) end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return await chunks.return(undefined);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
