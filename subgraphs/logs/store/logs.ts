import { asFleetError } from '../../../lib/errors.ts';
import type { PageRequest } from '../../../lib/page.ts';
import type { MeasuredRows, TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { conditionOf, type LogCriteria } from './criteria.ts';
import { Knowledge } from './knowledge.ts';
import { LogReader } from './reader.ts';
import { type LogRow, placeOfUuid, uuidOfPlace } from './row.ts';
import { LOG_TABLES } from './tables.ts';

/** Where a reader of new entries stands: behind this row. */
export interface TailPlace {
  stamp: number;
  seq: number;
}

/** What entries are counted by. */
export type GroupColumn = 'severity' | 'service' | 'agent';

const COLUMNS =
  'toString(time) as time_text, toString(observed) as observed_text, toString(stamp) as stamp_text, seq, severity, service, agent, agent_name, trace, span, body, attributes, resource';
const COUNT_MS = 2_000;
const GROUPS = {
  severity: 'toString(intDiv(toInt16(severity) - 1, 4))',
  service: 'toString(service)',
  agent: 'toString(agent)',
} as const;
const DAY_MS = 24 * 60 * 60_000;

/** A page of rows, and what was read for it. */
export interface ReadPage {
  rows: LogRow[];
  read: MeasuredRows<never>['read'];
  /** Names of the indexes that helped; asked of the engine when called. */
  indexes(): Promise<string[]>;
}

/** 64-bit numbers come as text, under other names: an alias would hide the column from the conditions. */
interface RawRow extends Omit<LogRow, 'time' | 'observed' | 'stamp'> {
  time_text: string;
  observed_text: string;
  stamp_text: string;
}

/** The table of log entries: the only ClickHouse SQL that reads it. */
export class LogStore {
  readonly #knowledge: Knowledge;

  constructor(
    private readonly telemetry: TelemetryStore,
    private readonly reader = new LogReader(telemetry),
  ) {
    this.#knowledge = new Knowledge(reader);
  }

  migrate(): Promise<void> {
    return this.telemetry.migrate('logs', LOG_TABLES);
  }

  /** The highest stamp there is, and the batches of a day: what a new process must know. */
  async resumption(nowMs: number): Promise<{ stamp: number; batches: { batch: string; atMs: number }[] }> {
    const [top] = await this.telemetry.query<{ top: string }>('select toString(max(stamp)) as top from log');
    const rows = await this.telemetry.query<{ number: string; last: string }>(
      `select toString(batch) as number, toString(max(stamp)) as last from log
        where batch != 0 and stamp > {since:UInt64} group by batch order by max(stamp) desc limit 200000`,
      { since: String(Math.max(0, nowMs - DAY_MS) * 1_000) },
      { maxMs: 30_000 },
    );
    const batches = rows.reverse().map(({ number, last }) => ({ batch: number, atMs: Number(last) / 1_000 }));
    return { stamp: Number(top?.top ?? 0), batches };
  }

  /** A page, newest first, of what was durable at the watermark. Up to `limit + 1` rows. */
  async page(criteria: LogCriteria, request: PageRequest, watermark: number): Promise<ReadPage> {
    const { where, parameters } = conditionOf(criteria, undefined, await this.#knowledge.of(criteria));
    const parts = [where, `stamp <= ${parameters.bind('UInt64', watermark)}`];
    const beside = (key: unknown[], order: '<' | '>') => {
      const [time, stamp, seq] = key.map(String);
      const bound = parameters.bind('UInt64', time);
      // The first condition says nothing new, but the primary index understands it.
      parts.push(`time ${order}= ${bound}`);
      parts.push(
        `(time, stamp, seq) ${order} (${bound}, ${parameters.bind('UInt64', stamp)}, ${parameters.bind('UInt32', seq)})`,
      );
    };
    if (request.after) beside(request.after, '<');
    if (request.before) beside(request.before, '>');
    const way = request.backward ? 'asc' : 'desc';
    const sql = `select ${COLUMNS} from log where ${parts.join(' and ')}
        order by time ${way}, stamp ${way}, seq ${way} limit ${request.limit + 1}`;
    const { rows: raw, read } = await this.reader.measured<RawRow>(sql, parameters.values);
    const rows = raw.map(rowOf);
    return {
      rows: request.backward ? rows.reverse() : rows,
      read,
      indexes: () => this.reader.indexes(sql, parameters.values),
    };
  }

  /** How many there are at the watermark; null when counting takes too long. */
  async count(criteria: LogCriteria, watermark: number): Promise<number | null> {
    try {
      const { where, parameters } = conditionOf(criteria, undefined, await this.#knowledge.of(criteria));
      const [row] = await this.reader.rows<{ count: string }>(
        `select toString(count()) as count from log where ${where} and stamp <= ${parameters.bind('UInt64', watermark)}`,
        parameters.values,
        COUNT_MS,
      );
      return Number(row?.count ?? 0);
    } catch (error) {
      if (asFleetError(error)?.code === 'TIMEOUT') return null;
      throw error;
    }
  }

  /** The times of the first and the last entry, nanoseconds; undefined when there is none. */
  async span(criteria: LogCriteria): Promise<{ first: string; last: string } | undefined> {
    const { where, parameters } = conditionOf(criteria, undefined, await this.#knowledge.of(criteria));
    const [row] = await this.reader.rows<{ first: string; last: string; count: string }>(
      `select toString(min(time)) as first, toString(max(time)) as last, toString(count()) as count from log where ${where}`,
      parameters.values,
    );
    return row && row.count !== '0' ? row : undefined;
  }

  /** Counts by stretches of `stepMs` since 1970 and by group, in order. */
  async histogram(
    criteria: LogCriteria,
    stepMs: number,
    group?: GroupColumn,
  ): Promise<{ bucket: number; group: string; count: number }[]> {
    const { where, parameters } = conditionOf(criteria, undefined, await this.#knowledge.of(criteria));
    const step = parameters.bind('UInt64', String(BigInt(stepMs) * 1_000_000n));
    const rows = await this.reader.rows<{ bucket: string; grouped: string; count: string }>(
      `select toString(intDiv(time, ${step})) as bucket, ${group ? GROUPS[group] : "''"} as grouped, toString(count()) as count
         from log where ${where} group by bucket, grouped order by toUInt64(bucket), grouped limit 100000`,
      parameters.values,
    );
    return rows.map(({ bucket, grouped, count }) => ({ bucket: Number(bucket), group: grouped, count: Number(count) }));
  }

  /** Entries by uuid, in the order asked; null for what is not there. */
  async find(uuids: readonly string[]): Promise<(LogRow | null)[]> {
    const places = uuids.map(placeOfUuid);
    const known = places.filter((place) => place !== undefined);
    if (!known.length) return uuids.map(() => null);
    const rows = await this.#rows(
      `select ${COLUMNS} from log
        where intDiv(time, 1000000) in {times:Array(UInt64)} and stamp in {stamps:Array(UInt64)} and seq in {seqs:Array(UInt32)}
          and time >= {first:UInt64} * 1000000 and time < ({last:UInt64} + 1) * 1000000`,
      {
        times: known.map(({ ms }) => ms),
        stamps: known.map(({ stamp }) => stamp),
        seqs: known.map(({ seq }) => seq),
        first: Math.min(...known.map(({ ms }) => ms)),
        last: Math.max(...known.map(({ ms }) => ms)),
      },
    );
    const found = new Map(rows.map((row) => [uuidOfPlace(row), row]));
    return uuids.map((uuid) => found.get(uuid) ?? null);
  }

  /** Entries behind a place and up to the watermark, in the order they became durable. */
  tail(criteria: LogCriteria, behind: TailPlace, watermark: number, limit: number): Promise<LogRow[]> {
    const { where, parameters } = conditionOf(criteria);
    const stamp = parameters.bind('UInt64', behind.stamp);
    return this.#rows(
      `select ${COLUMNS} from log
        where stamp >= ${stamp} and (stamp, seq) > (${stamp}, ${parameters.bind('UInt32', behind.seq)})
          and stamp <= ${parameters.bind('UInt64', watermark)} and ${where}
        order by stamp, seq limit ${limit}`,
      parameters.values,
    );
  }

  async #rows(sql: string, parameters: Record<string, unknown>): Promise<LogRow[]> {
    return (await this.reader.rows<RawRow>(sql, parameters)).map(rowOf);
  }
}

function rowOf({ time_text: time, observed_text: observed, stamp_text: stamp, ...row }: RawRow): LogRow {
  return { ...row, time, observed, stamp: Number(stamp) };
}
