import { asFleetError, FleetError } from '../../../lib/errors.ts';
import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { type Condition, conditionOf, type LogCriteria } from './criteria.ts';
import { ERROR_CODE, ERROR_PLACE, ERROR_TABLES, ERROR_TEMPLATE, LEAST_ERROR, ROW_VERSION } from './error-rules.ts';
import { type LogRow, placeOfUuid, uuidOfPlace } from './row.ts';

/** Where an entry is. */
export type EntryPlace = Pick<LogRow, 'time' | 'stamp' | 'seq'>;

/** A group of errors as the entries that were asked for make it. */
export interface ErrorGroupRow {
  /** 64 bits, decimal. */
  fingerprint: string;
  code: string;
  place: string;
  template: string;
  /** OpenTelemetry's number of the gravest. */
  severity: number;
  count: number;
  /** Nanoseconds since 1970, decimal. */
  firstTime: string;
  /** The newest entry. */
  newest: EntryPlace;
  /** Bare uuids, at most 100. */
  agents: string[];
  agentCount: number;
  versions: string[];
  services: string[];
  /** The trace of the newest entry that has one, else empty. */
  trace: string;
}

/** Which groups, beside what their entries must be. */
export interface GroupChoice {
  /** Decimal fingerprints: only these. */
  only?: readonly string[];
  /** Decimal fingerprints: not these. */
  without?: readonly string[];
}

/** When a version was last seen to fail in a group. */
export interface SeenVersion {
  fingerprint: string;
  /** Empty when its entries do not say. */
  version: string;
  lastTime: string;
}

const QUERY_MS = 8_000;
const COUNT_MS = 2_000;
const LISTED = 100;
const MAX_SEEN = 20_000;
/** Groups that are looked at together. */
const MAX_FAILED = 500;
const MAX_IN_STAMP = 100_000;
/** ClickHouse's CANNOT_COMPILE_REGEXP. */
const BAD_REGEXP = '427';
/** Other names than the columns': an alias would hide the column from the conditions. */
const GROUP = `toString(error_group) as fingerprint, toString(count()) as entry_count, max(severity) as gravest,
  toString(min(time)) as first_time, max((time, stamp, seq)) as newest, toString(newest.1) as newest_time,
  toString(newest.2) as newest_stamp, newest.3 as newest_seq, toString(uniqExactIf(agent, agent != '')) as agent_count,
  arraySort(groupUniqArrayIf(${LISTED})(toString(agent), agent != '')) as agent_list,
  arraySort(groupUniqArrayIf(${LISTED})(${ROW_VERSION}, ${ROW_VERSION} != '')) as version_list,
  arraySort(groupUniqArray(${LISTED})(toString(service))) as service_list,
  argMaxIf(trace, (time, stamp, seq), trace != '') as newest_trace`;

interface RawGroup {
  fingerprint: string;
  entry_count: string;
  gravest: number;
  first_time: string;
  newest_time: string;
  newest_stamp: string;
  newest_seq: number;
  agent_count: string;
  agent_list: string[];
  version_list: string[];
  service_list: string[];
  newest_trace: string;
}

interface EntryKey {
  entry_time: string;
  entry_stamp: string;
  entry_seq: number;
}

const ENTRY_KEY = 'toString(time) as entry_time, toString(stamp) as entry_stamp, seq as entry_seq';

type Description = Pick<ErrorGroupRow, 'code' | 'place' | 'template'>;

/** Errors in groups, read from the log itself: an entry's group is computed as it is stored, in the same part of the same insert. */
export class ErrorGroupStore {
  constructor(private readonly telemetry: TelemetryStore) {}

  migrate(): Promise<void> {
    return this.telemetry.migrate('logs.errors', ERROR_TABLES);
  }

  /**
   * Groups of what was durable at the watermark, newest first.
   * @param after the newest entry of the group that the page is behind
   */
  async page(
    criteria: LogCriteria,
    choice: GroupChoice,
    watermark: number,
    limit: number,
    after?: EntryPlace,
  ): Promise<ErrorGroupRow[]> {
    const { where, parameters } = errorsOf(criteria, choice, watermark);
    const behind = after
      ? `having newest < (${parameters.bind('UInt64', after.time)}, ${parameters.bind('UInt64', after.stamp)}, ${parameters.bind('UInt32', after.seq)})`
      : '';
    const rows = await this.#query<RawGroup>(
      `select ${GROUP} from log where ${where} group by error_group ${behind} order by newest desc limit ${limit}`,
      parameters.values,
    );
    return await this.#described(rows);
  }

  /** How many groups there are; null when counting takes too long. */
  async count(criteria: LogCriteria, choice: GroupChoice, watermark: number): Promise<number | null> {
    const { where, parameters } = errorsOf(criteria, choice, watermark);
    try {
      const [row] = await this.#query<{ groups: string }>(
        `select toString(uniqExact(error_group)) as groups from log where ${where}`,
        parameters.values,
        COUNT_MS,
      );
      return Number(row?.groups ?? 0);
    } catch (error) {
      if (asFleetError(error)?.code === 'TIMEOUT') return null;
      throw error;
    }
  }

  /** Groups by fingerprint, over all entries that are kept; in no order. */
  async find(fingerprints: readonly string[], watermark: number): Promise<ErrorGroupRow[]> {
    return await this.page({}, { only: fingerprints }, watermark, fingerprints.length);
  }

  /**
   * The groups that entries of some stamps are part of.
   * @param behind stamp, exclusive @param upTo stamp
   * @returns them in the order of their first, and the stamp that they are all of: `upTo`, unless they are too many for once
   */
  async failedBetween(behind: number, upTo: number): Promise<{ fingerprints: string[]; upTo: number }> {
    const rows = await this.#failed(behind, upTo, MAX_FAILED + 1);
    const next = rows[MAX_FAILED];
    if (!next) return { fingerprints: rows.map(({ fingerprint }) => fingerprint), upTo };
    // One stamp is told whole, however many groups are in it.
    const last = Math.max(Number(next.first_stamp) - 1, Number(rows[0]?.first_stamp));
    const all = await this.#failed(behind, last, MAX_IN_STAMP);
    return { fingerprints: all.map(({ fingerprint }) => fingerprint), upTo: last };
  }

  #failed(behind: number, upTo: number, limit: number): Promise<{ fingerprint: string; first_stamp: string }[]> {
    return this.#query(
      `select toString(error_group) as fingerprint, toString(min(stamp)) as first_stamp from log
        where stamp > {behind:UInt64} and stamp <= {upTo:UInt64} and severity >= ${LEAST_ERROR}
        group by error_group order by min(stamp), error_group limit {limit:UInt32}`,
      { behind, upTo, limit },
    );
  }

  /** The fingerprints of entries, by uuid; those that are no errors, or not there, are left out. */
  async ofEntries(uuids: readonly string[]): Promise<Map<string, string>> {
    const places = uuids.map(placeOfUuid).filter((place) => place !== undefined);
    if (!places.length) return new Map();
    const times = places.map(({ ms }) => ms);
    const rows = await this.#query<EntryKey & { fingerprint: string }>(
      `select ${ENTRY_KEY}, toString(error_group) as fingerprint from log
        where severity >= ${LEAST_ERROR} and time >= {first:UInt64} * 1000000 and time < ({last:UInt64} + 1) * 1000000
          and intDiv(time, 1000000) in {times:Array(UInt64)} and stamp in {stamps:Array(UInt64)} and seq in {seqs:Array(UInt32)}`,
      {
        first: Math.min(...times),
        last: Math.max(...times),
        times,
        stamps: places.map(({ stamp }) => stamp),
        seqs: places.map(({ seq }) => seq),
      },
    );
    return new Map(rows.map((row) => [uuidOfKey(row), row.fingerprint]));
  }

  /** Versions that failed after a time, by group. @param after nanoseconds since 1970, decimal */
  async seenAfter(fingerprints: readonly string[], after: string): Promise<SeenVersion[]> {
    if (!fingerprints.length) return [];
    const rows = await this.#query<{ fingerprint: string; version: string; last_time: string }>(
      `select toString(error_group) as fingerprint, ${ROW_VERSION} as version, toString(max(time)) as last_time from log
        where severity >= ${LEAST_ERROR} and time > {after:UInt64} and error_group in {groups:Array(UInt64)}
        group by error_group, version limit ${MAX_SEEN}`,
      { after, groups: wholes(fingerprints) },
    );
    return rows.map(({ fingerprint, version, last_time }) => ({ fingerprint, version, lastTime: last_time }));
  }

  async #described(rows: readonly RawGroup[]): Promise<ErrorGroupRow[]> {
    const found = await this.#descriptions(rows.map(placeOf));
    return rows.flatMap((row) => {
      const newest = placeOf(row);
      const description = found.get(uuidOfPlace(newest));
      // Retention took its last entry between the two questions: the group is gone.
      if (!description) return [];
      return {
        ...description,
        fingerprint: row.fingerprint,
        severity: row.gravest,
        count: Number(row.entry_count),
        firstTime: row.first_time,
        newest,
        agents: row.agent_list,
        agentCount: Number(row.agent_count),
        versions: row.version_list,
        services: row.service_list,
        trace: row.newest_trace,
      };
    });
  }

  /** What the groups of these entries are called; computed again, for a page's few entries only. */
  async #descriptions(places: readonly EntryPlace[]): Promise<Map<string, Description>> {
    if (!places.length) return new Map();
    const rows = await this.#query<Description & EntryKey>(
      `select ${ENTRY_KEY}, ${ERROR_CODE} as code, ${ERROR_PLACE} as place, ${ERROR_TEMPLATE} as template from log
        where time in {times:Array(UInt64)} and stamp in {stamps:Array(UInt64)} and seq in {seqs:Array(UInt32)}`,
      {
        times: wholes(places.map(({ time }) => time)),
        stamps: places.map(({ stamp }) => stamp),
        seqs: places.map(({ seq }) => seq),
      },
    );
    return new Map(rows.map(({ code, place, template, ...key }) => [uuidOfKey(key), { code, place, template }]));
  }

  async #query<T>(sql: string, parameters: Record<string, unknown>, maxMs = QUERY_MS): Promise<T[]> {
    try {
      return await this.telemetry.query<T>(sql, parameters, { maxMs });
    } catch (error) {
      if ((error as { code?: unknown }).code !== BAD_REGEXP) throw error;
      throw new FleetError('BAD_QUERY', 'this regular expression cannot be read: RE2 syntax, without back-references');
    }
  }
}

function errorsOf(criteria: LogCriteria, { only, without }: GroupChoice, watermark: number): Condition {
  const { where, parameters } = conditionOf(criteria);
  const parts = [`severity >= ${LEAST_ERROR}`, where, `stamp <= ${parameters.bind('UInt64', watermark)}`];
  if (only) parts.push(`error_group in ${parameters.bind('Array(UInt64)', wholes(only))}`);
  if (without?.length) parts.push(`error_group not in ${parameters.bind('Array(UInt64)', wholes(without))}`);
  return { where: parts.join(' and '), parameters };
}

function uuidOfKey({ entry_time: time, entry_stamp, entry_seq: seq }: EntryKey): string {
  return uuidOfPlace({ time, stamp: Number(entry_stamp), seq });
}

/** In a list the client writes texts with quotes, which no number has. */
function wholes(decimals: readonly string[]): bigint[] {
  return decimals.map(BigInt);
}

function placeOf({ newest_time, newest_stamp, newest_seq }: RawGroup): EntryPlace {
  return { time: newest_time, stamp: Number(newest_stamp), seq: newest_seq };
}
