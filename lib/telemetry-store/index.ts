import type { ClickHouseClient, ResponseJSON } from '@clickhouse/client';
import { asFleetError, FleetError, messageOf } from '../errors.ts';
import type { ColdDisk } from './cold-disk.ts';
import type { DiskSpace, DiskWatch } from './disk-watch.ts';
import { connectEngine, type Engine, type EngineLimits, openEngine, SMALL_MACHINE } from './engine.ts';
import { Gate } from './gate.ts';
import { migrateHouse } from './migrations.ts';

export { BlockInserter, endPlacedRow, PLACE_BYTES } from './block-inserter.ts';
export { COLD_POLICY, type ColdDisk } from './cold-disk.ts';
export { type DiskSpace, DiskWatch } from './disk-watch.ts';
export type { EngineLimits } from './engine.ts';
export { GroupedInserter, type GroupedInserterOptions, type InsertedGroup } from './grouped-inserter.ts';
export type { StoredGroup } from './insert-queue.ts';
export { leb128, type RowBlock, RowReader, RowsTooLarge, RowWriter } from './row-binary.ts';

/** Bounds of one query. */
export interface QueryBounds {
  /** Time it may take, milliseconds. */
  maxMs?: number;
  /** Rows it may answer. */
  maxRows?: number;
  /** Further settings of this one query, `name = value`; never from a caller's input. */
  settings?: readonly string[];
}

/** Rows and what was read for them. */
export interface MeasuredRows<T> {
  rows: T[];
  /** Rows of tables that were looked at, their bytes unpacked, and the engine's time in milliseconds. */
  read: { rows: number; bytes: number; elapsedMs: number };
}

const QUERY_MS = 10_000;
const QUERY_ROWS = 200_000;
/** ClickHouse's TIMEOUT_EXCEEDED, TOO_SLOW; MEMORY_LIMIT_EXCEEDED. */
const TIMED_OUT = new Set(['159', '160']);
const OUT_OF_MEMORY = '241';

/** Where logs, samples and spans are kept: ClickHouse, embedded or by URL, behind one client. */
export class TelemetryStore {
  readonly #gate: Gate;
  #watch: DiskWatch | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly limits: EngineLimits,
  ) {
    this.#gate = new Gate(limits.maxInFlight, limits.maxWaiting);
  }

  /** The bare client: no bound but your own. */
  get client(): ClickHouseClient {
    return this.engine.client;
  }

  /**
   * Reads rows. 64-bit integers come as strings, times as the query formats them.
   * @param sql ends before `settings` and `format`; values are bound as `{name:Type}`
   * @throws TIMEOUT past `maxMs`, OVERLOADED when too many queries wait or memory is short
   */
  async query<T>(sql: string, params: Record<string, unknown> = {}, bounds: QueryBounds = {}): Promise<T[]> {
    return (await this.measured<T>(sql, params, bounds)).rows;
  }

  /** As `query`, and says what was read. */
  async measured<T>(
    sql: string,
    params: Record<string, unknown> = {},
    bounds: QueryBounds = {},
  ): Promise<MeasuredRows<T>> {
    const { maxMs = QUERY_MS, maxRows = QUERY_ROWS } = bounds;
    // As words of the statement: the embedded engine would keep separate settings for its next queries too.
    const settings = [
      `max_execution_time = ${maxMs / 1_000}`,
      `max_result_rows = ${Math.floor(maxRows)}`,
      `result_overflow_mode = 'throw'`,
      `max_threads = ${this.limits.maxThreads}`,
      ...(bounds.settings ?? []),
    ].join(', ');
    return await this.#gate.pass(async () => {
      try {
        const answer = await this.client.query({
          query: `${sql}\nsettings ${settings}`,
          query_params: params,
          format: 'JSON',
        });
        const { data, statistics } = lastDocument<T>(await answer.text());
        const { rows_read: rows = 0, bytes_read: bytes = 0, elapsed = 0 } = statistics ?? {};
        return { rows: data, read: { rows: Number(rows), bytes: Number(bytes), elapsedMs: elapsed * 1_000 } };
      } catch (error) {
        throw explained(error);
      }
    });
  }

  /** Runs a statement that answers nothing. `maxMs` bounds it, milliseconds; without, it may take as long as it takes. */
  async command(sql: string, params: Record<string, unknown> = {}): Promise<void> {
    await this.#gate.pass(async () => {
      try {
        await this.client.command({ query: sql, query_params: params });
      } catch (error) {
        throw explained(error);
      }
    });
  }

  /**
   * Inserts lines of a text format in one statement; one insert, one part: all of it is kept or nothing.
   * @param into table and columns, e.g. `log (time, body)`
   * @param token the same token again is the same insert again: stored once
   * @param limitMs the engine gives up after this
   */
  async insert(into: string, format: string, lines: string, token: string, limitMs: number): Promise<void> {
    const settings = insertSettings(token, limitMs).join(', ');
    try {
      await this.client.command({ query: `insert into ${into} settings ${settings} format ${format}\n${lines}` });
    } catch (error) {
      throw explained(error);
    }
  }

  /**
   * The same of rows in RowBinary; the blocks follow each other.
   * @param columns the columns with their types, in the order of `into`
   */
  async insertBinary(
    into: string,
    columns: string,
    blocks: readonly Uint8Array[],
    token: string,
    limitMs: number,
  ): Promise<void> {
    const settings = [...insertSettings(token, limitMs), ...ONE_PART].join(', ');
    try {
      await this.engine.insertBinary(`insert into ${into} settings ${settings}`, columns, blocks);
    } catch (error) {
      throw explained(error);
    }
  }

  /**
   * Brings a house's tables up to date: each statement of the list runs once, in order; the list only ever grows.
   * @throws CONFLICT when the store was migrated by newer code, or a statement that ran was changed since
   */
  migrate(house: string, statements: readonly string[]): Promise<void> {
    return migrateHouse(this, house, statements);
  }

  /** From now on nothing is taken while this says that the disk is full. */
  watchedBy(watch: DiskWatch): void {
    this.#watch = watch;
  }

  /** Its disk, where that is watched and could be measured. */
  get disk(): (DiskSpace & { isFull: boolean }) | undefined {
    const { space, isFull = false } = this.#watch ?? {};
    return space && { ...space, isFull };
  }

  /** @throws OVERLOADED while its disk has too little room */
  checkRoom(): void {
    this.#watch?.check();
  }

  /** Throws when it does not answer. */
  async ready(): Promise<void> {
    await this.query('select 1 as one', {}, { maxMs: 2_000 });
  }

  /** Waits for what runs and closes. */
  async close(): Promise<void> {
    await this.#gate.close();
    await this.engine.close();
  }
}

/** What makes an insert that reads from a file one part, in the order of its rows, as an insert of lines is. */
const ONE_PART = [
  'min_insert_block_size_rows = 1048576',
  'min_insert_block_size_bytes = 0',
  'max_threads = 1',
  'max_insert_threads = 1',
];

function insertSettings(token: string, limitMs: number): string[] {
  return [
    `insert_deduplication_token = '${token.replace(/[^\w-]/g, '_')}'`,
    'insert_deduplicate = 1',
    'async_insert = 0',
    `max_execution_time = ${limitMs / 1_000}`,
    `max_insert_block_size = 1048576`,
    'input_format_parallel_parsing = 0',
  ];
}

/** How a document of the format JSON begins. Values are escaped: none of them looks like it. */
const BEGINNING = '{\n\t"meta":';

/**
 * The answer of a query. What a query that failed had answered so far the embedded engine puts before the next one's answer
 * (chdb 3.4, measured: also rows of it), whoever asked; so the answer is the last document.
 */
function lastDocument<T>(text: string): ResponseJSON<T> {
  return JSON.parse(text.slice(Math.max(0, text.lastIndexOf(BEGINNING)))) as ResponseJSON<T>;
}

function explained(error: unknown): unknown {
  if (asFleetError(error)) return error;
  const code = String((error as { code?: unknown }).code ?? '');
  if (TIMED_OUT.has(code) || /timeout exceeded/i.test(messageOf(error))) {
    return new FleetError('TIMEOUT', 'the telemetry store did not answer in time: ask for less', {
      retryAfterMs: 1_000,
    });
  }
  if (code === OUT_OF_MEMORY) {
    return new FleetError('OVERLOADED', 'the telemetry store is short of memory: ask for less, or later', {
      retryAfterMs: 1_000,
    });
  }
  return error;
}

/**
 * Opens the store of logs, samples and spans: a ClickHouse by URL, or the same engine as a library on a folder.
 * @throws ENGINE_MISSING when the library is needed and absent
 */
export async function openTelemetryStore(
  where: { url: string } | { path: string; cold?: ColdDisk | undefined },
  limits: Partial<EngineLimits> = {},
): Promise<TelemetryStore> {
  const bounds = { ...SMALL_MACHINE, ...limits };
  const engine = 'url' in where ? connectEngine(where.url) : openEngine(where.path, bounds, where.cold);
  return new TelemetryStore(engine, bounds);
}

/** A store that is not there: enough to build a schema. Using it says ENGINE_MISSING. */
export function absentTelemetryStore(): TelemetryStore {
  const engine: Engine = {
    get client(): never {
      throw absent();
    },
    insertBinary: () => Promise.reject(absent()),
    close: async () => undefined,
  };
  return new TelemetryStore(engine, SMALL_MACHINE);
}

function absent(): FleetError {
  return new FleetError('ENGINE_MISSING', 'this process was started without a telemetry store');
}
