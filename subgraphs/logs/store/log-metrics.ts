import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** How far a metric is: everything up to the stamp `counted` is in the values of its series, and nothing beyond. */
export interface MetricState {
  name: string;
  /** Of the definition that it counts by. */
  version: number;
  counted: number;
  /** Milliseconds, of the samples that were made last, and of those before. */
  sampledAt: number;
  previousAt: number;
  /** Milliseconds, of the last samples that were of all series and not only of those that changed. */
  wholeAt: number;
  /** Whether the metrics house has them. */
  isDelivered: boolean;
}

/** What a series amounts to since it began. `buckets` are cumulative, without +Inf. */
export interface SeriesValue {
  count: number;
  sum: number;
  last: number;
  buckets: number[];
}

export interface MetricSeries {
  key: string;
  value: SeriesValue;
  /** Milliseconds, of its first and its last sample. */
  bornAt: number;
  sampledAt: number;
}

type Numbers<T> = { [K in keyof T]: T[K] extends number ? string : T[K] };

const STATE = `name, version, counted, sampled_at as "sampledAt", previous_at as "previousAt",
  whole_at as "wholeAt", is_delivered as "isDelivered"`;

/** How far metrics of the log are, and what their series amount to: PostgreSQL, in one transaction. */
export class LogMetricStore {
  constructor(private readonly database: DataSource) {}

  /** Begins anew, with the entries behind this stamp. */
  async begin(tx: Transaction, name: string, version: number, stamp: number, nowMs: number): Promise<void> {
    await tx.query('delete from log_metric_series where name = $1', [name]);
    await tx.query(
      `insert into log_metric_state (name, version, counted, sampled_at, previous_at, whole_at) values ($1, $2, $3, $4, $4, $4)
       on conflict (name) do update set version = $2, counted = $3, sampled_at = $4, previous_at = $4, whole_at = $4,
         is_delivered = true`,
      [name, version, stamp, nowMs],
    );
  }

  /** The definition is another, but not what is counted. */
  async rename(tx: Transaction, name: string, version: number): Promise<void> {
    await tx.query('update log_metric_state set version = $2 where name = $1', [name, version]);
  }

  async states(names: readonly string[]): Promise<MetricState[]> {
    const rows: Numbers<MetricState>[] = await this.database.query(
      `select ${STATE} from log_metric_state where name = any($1)`,
      [names],
    );
    return rows.map((row) => ({
      ...row,
      version: Number(row.version),
      counted: Number(row.counted),
      sampledAt: Number(row.sampledAt),
      previousAt: Number(row.previousAt),
      wholeAt: Number(row.wholeAt),
    }));
  }

  async series(name: string): Promise<MetricSeries[]> {
    const rows: Numbers<MetricSeries>[] = await this.database.query(
      'select key, value, born_at as "bornAt", sampled_at as "sampledAt" from log_metric_series where name = $1',
      [name],
    );
    return rows.map((row) => ({ ...row, bornAt: Number(row.bornAt), sampledAt: Number(row.sampledAt) }));
  }

  /** How many series each has, and whether one of them is the overflow's. */
  async sizes(names: readonly string[], overflow: string): Promise<Map<string, { series: number; over: boolean }>> {
    const rows: { name: string; series: string; over: boolean }[] = await this.database.query(
      'select name, count(*) as series, bool_or(key = $2) as over from log_metric_series where name = any($1) group by name',
      [names, overflow],
    );
    return new Map(rows.map(({ name, series, over }) => [name, { series: Number(series), over }]));
  }

  /**
   * Writes together what series amount to now and how far that is.
   * @returns false when somebody else counted on, or changed the definition, meanwhile: nothing was written
   */
  async advance(before: MetricState, after: MetricState, changed: readonly MetricSeries[]): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      const [moved]: [unknown[], number] = await tx.query(
        `update log_metric_state set counted = $4, sampled_at = $5, previous_at = $6, whole_at = $7, is_delivered = false
          where name = $1 and version = $2 and counted = $3 and sampled_at = $6 returning name`,
        [before.name, before.version, before.counted, after.counted, after.sampledAt, before.sampledAt, after.wholeAt],
      );
      if (!moved.length) return false;
      const rows = changed.map(({ key, value }) => ({ key, value }));
      await tx.query(
        `insert into log_metric_series (name, key, value, born_at, sampled_at)
           select $1, key, value, $3, $3 from jsonb_to_recordset($2::jsonb) as changed (key text, value jsonb)
         on conflict (name, md5(key)) do update set value = excluded.value, sampled_at = excluded.sampled_at`,
        [before.name, JSON.stringify(rows), after.sampledAt],
      );
      return true;
    });
  }

  /** The metrics house has the samples of this moment. */
  async delivered({ name, version, sampledAt }: MetricState): Promise<void> {
    await this.database.query(
      'update log_metric_state set is_delivered = true where name = $1 and version = $2 and sampled_at = $3',
      [name, version, sampledAt],
    );
  }
}
