import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';
import { conditionOf, type StoredCriteria } from './criteria.ts';
import { Governed, ROW_BYTES, type SweptPolicy } from './governed.ts';
import { LogReader } from './reader.ts';

/** Entries of one policy that go for one reason. */
export interface SweptRows {
  /** The policy's place in the list, from 0. */
  place: number;
  reason: 'AGE' | 'SIZE' | 'TOTAL_SIZE';
  entries: number;
  bytes: number;
  /** The highest stamp among them. */
  stamp: number;
}

/** A part of the table with entries that go. */
export interface SweptPart {
  partition: string;
  name: string;
  /** Entries that go, of those that can be seen. */
  due: number;
  rows: number;
}

/** What a policy governs. */
export interface GovernedRows {
  place: number;
  entries: number;
  bytes: number;
  /** Nanoseconds since 1970, decimal. */
  oldest: string;
}

const SWEEP_MS = 60_000;
/** ClickHouse's NO_SUCH_DATA_PART. */
const GONE = '232';
/** Once a part has less than this share of entries that can be seen, those with others are written anew without them. */
const WORTH_KEEPING = 0.75;

/** Counts and removes what retention is done with. */
export class SweepStore {
  constructor(
    private readonly telemetry: TelemetryStore,
    private readonly reader = new LogReader(telemetry),
    /** How long one look at the table may take, milliseconds. */
    private readonly maxMs = SWEEP_MS,
  ) {}

  /** @throws BAD_QUERY for a regular expression that RE2 does not have */
  async check(criteria: StoredCriteria): Promise<void> {
    const { where, parameters } = conditionOf(criteria);
    await this.reader.rows(`select 1 as one from log where ${where} limit 0`, parameters.values);
  }

  /** What goes of each policy, and why. */
  async removals(policies: readonly SweptPolicy[], mark: number): Promise<SweptRows[]> {
    const governed = new Governed(policies);
    const reason = `multiIf(observed < ${governed.each(({ before }) => before.age)}, 'AGE',
      observed < ${governed.each(({ before }) => before.size)}, 'SIZE', 'TOTAL_SIZE')`;
    const rows = await this.#query<Record<'place' | 'reason' | 'entries' | 'weight' | 'top', string>>(
      `select toString(${governed.place}) as place, ${reason} as reason, toString(count()) as entries,
         toString(sum(${ROW_BYTES})) as weight, toString(max(stamp)) as top
       from log where ${governed.due(mark)} group by place, reason order by toUInt32(place), reason`,
      governed,
    );
    return rows.map(({ place, reason: why, entries, weight, top }) => ({
      place: Number(place) - 1,
      reason: why as SweptRows['reason'],
      entries: Number(entries),
      bytes: Number(weight),
      stamp: Number(top),
    }));
  }

  /**
   * From when on each policy's newest entries fit its bytes: the end of the minute with the first that does not, epoch
   * milliseconds; no more than fit are kept. @param maxBytes one for each policy, null for any
   */
  async sizeCuts(policies: readonly SweptPolicy[], maxBytes: readonly (number | null)[]): Promise<Map<number, number>> {
    if (maxBytes.every((bytes) => bytes === null)) return new Map();
    const governed = new Governed(policies);
    const limits = governed.parameters.bind(
      'Array(UInt64)',
      maxBytes.map((bytes) => BigInt(bytes ?? 0)),
    );
    const rows = await this.#query<{ place: string; last: string }>(
      `select toString(at) as place, toString(max(minute)) as last from (
         select at, minute, sum(weight) over (partition by at order by minute desc) as kept from (
           select ${governed.place} as at, intDiv(observed, 60000000000) as minute, sum(${ROW_BYTES}) as weight
           from log group by at, minute having ${limits}[at] > 0))
       where kept > ${limits}[at] group by at`,
      governed,
    );
    return new Map(rows.map(({ place, last }) => [Number(place) - 1, (Number(last) + 1) * 60_000]));
  }

  /** The same of all that stays and no hold is on, together. Undefined when it is not too much. */
  async totalCut(policies: readonly SweptPolicy[], maxBytes: number): Promise<number | undefined> {
    const governed = new Governed(policies);
    const stays = `observed >= ${governed.each(({ before: { age, size } }) => (BigInt(age) > BigInt(size) ? age : size))}`;
    const [row] = await this.#query<{ last: string; over: string }>(
      `select toString(max(minute)) as last, toString(count()) as over from (
         select minute, sum(weight) over (order by minute desc) as kept from (
           select intDiv(observed, 60000000000) as minute, sum(${ROW_BYTES}) as weight
           from log where ${stays} and ${governed.each(({ hold }) => (hold ? 1 : 0))} = 0 group by minute))
       where kept > ${governed.parameters.bind('UInt64', maxBytes)}`,
      governed,
    );
    return row && row.over !== '0' ? (Number(row.last) + 1) * 60_000 : undefined;
  }

  /** How much each policy governs; those that govern nothing are left out. */
  async usage(policies: readonly SweptPolicy[]): Promise<GovernedRows[]> {
    const governed = new Governed(policies);
    const rows = await this.reader.rows<Record<'place' | 'entries' | 'weight' | 'oldest', string>>(
      `select toString(${governed.place}) as place, toString(count()) as entries, toString(sum(${ROW_BYTES})) as weight,
         toString(min(observed)) as oldest from log group by place`,
      governed.parameters.values,
    );
    return rows.map(({ place, entries, weight, oldest }) => ({
      place: Number(place) - 1,
      entries: Number(entries),
      bytes: Number(weight),
      oldest,
    }));
  }

  /** The parts that have entries that go. A part never changes: its name stands for its rows, and what changes it renames it. */
  async parts(policies: readonly SweptPolicy[], mark: number): Promise<SweptPart[]> {
    const governed = new Governed(policies);
    const due = await this.#query<{ day: string; part: string; number: string }>(
      `select _partition_id as day, _part as part, toString(count()) as number from log
        where ${governed.due(mark)} group by day, part order by day, part`,
      governed,
    );
    if (!due.length) return [];
    const visible = await this.#visible(due.map(({ part }) => part));
    return due.map(({ day, part, number }) => ({
      partition: day,
      name: part,
      due: Number(number),
      // One that was merged meanwhile has none: it is no part any more that could be dropped whole.
      rows: visible.get(part) ?? Number.POSITIVE_INFINITY,
    }));
  }

  /** Drops whole parts. @returns false when one of them is no more, merged with others: look anew */
  async drop(parts: readonly string[]): Promise<boolean> {
    const parameters = Object.fromEntries(parts.map((name, at) => [`part${at}`, name]));
    const drops = parts.map((_, at) => `drop part {part${at}:String}`);
    try {
      await this.telemetry.command(`alter table log ${drops.join(', ')}`, parameters);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== GONE) throw error;
      return false;
    }
  }

  /**
   * Removes what goes of these partitions; it is gone from every answer when this resolves. One statement for all of them: each
   * names every part of the table anew (measured, 26.7: some 50 ms a part on a busy disk).
   */
  async remove(policies: readonly SweptPolicy[], mark: number, partitions: readonly string[]): Promise<void> {
    const governed = new Governed(policies);
    const days = governed.parameters.bind('Array(String)', partitions);
    await this.telemetry.command(
      `delete from log where _partition_id in ${days} and ${governed.due(mark)}`,
      governed.parameters.values,
    );
  }

  /** Gives back the room of removed entries, once a part has many of them. */
  async reclaim(): Promise<void> {
    const parts = await this.#query<{ part: string; number: string }>(
      `select name as part, toString(rows) as number from system.parts
        where database = currentDatabase() and table = 'log' and active and has_lightweight_delete`,
    );
    if (!parts.length) return;
    const visible = await this.#visible(parts.map(({ part }) => part));
    if (!parts.some(({ part, number }) => (visible.get(part) ?? 0) < Number(number) * WORTH_KEEPING)) return;
    await this.telemetry.command('alter table log apply deleted mask settings mutations_sync = 1');
  }

  /** Entries of these parts that can be seen, by part. */
  async #visible(parts: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.telemetry.query<{ part: string; number: string }>(
      'select _part as part, toString(count()) as number from log where _part in {parts:Array(String)} group by part',
      { parts },
      { maxMs: this.maxMs },
    );
    return new Map(rows.map(({ part, number }) => [part, Number(number)]));
  }

  #query<T>(sql: string, governed?: Governed): Promise<T[]> {
    return this.telemetry.query<T>(sql, governed?.parameters.values ?? {}, { maxMs: this.maxMs });
  }
}
