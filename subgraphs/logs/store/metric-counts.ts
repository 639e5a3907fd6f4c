import { LogMetricKind } from '../entity/log-metric.ts';
import { type CountedField, valueSql } from './analysis.ts';
import { conditionOf, type LogCriteria } from './criteria.ts';
import type { Parameters } from './parameters.ts';
import type { LogReader } from './reader.ts';

/** What of the log a metric is made of, in the store's terms. */
export interface CountedLog {
  kind: LogMetricKind;
  criteria: LogCriteria;
  /** Where the number is; none for a counter. */
  value: CountedField | undefined;
  by: readonly CountedField[];
  buckets: readonly number[];
}

/** A stretch of stamps: behind `after`, up to `until`. */
export interface StampRange {
  after: number;
  until: number;
}

/** What a series got in a stretch. `buckets` are cumulative, without +Inf. */
export interface Counted {
  key: string;
  count: number;
  sum: number;
  last: number;
  buckets: number[];
}

/** Of the series for all that is too much. */
export const OVERFLOW_KEY = '';
const LABEL_CHARACTERS = 200;

/** Reads from the log what metrics are made of. A series' key is the JSON list of its values, in the order of `by`. */
export class MetricCountStore {
  constructor(private readonly reader: LogReader) {}

  /** Keys of the stretch that are not known yet, at most so many. */
  async newKeys(log: CountedLog, range: StampRange, known: readonly string[], limit: number): Promise<string[]> {
    const { from, parameters } = counted(log, range);
    const rows = await this.reader.rows<{ key: string }>(
      `select distinct key from (${from}) where key not in ${parameters.bind('Array(String)', known)} limit ${Math.floor(limit)}`,
      parameters.values,
    );
    return rows.map(({ key }) => key);
  }

  /** What each of these series got; all others together have the key of the overflow. */
  async count(log: CountedLog, range: StampRange, keys: readonly string[]): Promise<Counted[]> {
    const { from, parameters } = counted(log, range);
    const [known, bounds] = [parameters.bind('Array(String)', keys), parameters.bind('Array(Float64)', log.buckets)];
    const rows = await this.reader.rows<{ series: string; many: string; sum: number; last: number; spread: string[] }>(
      `select if(key in ${known}, key, '${OVERFLOW_KEY}') as series, toString(count()) as many, sum(number) as sum,
         argMax(number, (time, stamp, seq)) as last, sumForEach(arrayMap(bound -> toUInt64(number <= bound), ${bounds})) as spread
         from (${from}) group by series`,
      parameters.values,
    );
    return rows.map(({ series, many, sum, last, spread }) => ({
      key: series,
      count: Number(many),
      sum,
      last,
      buckets: log.buckets.map((_, at) => Number(spread[at] ?? 0)),
    }));
  }
}

/** The entries of a stretch that count, each with its key and its number. */
function counted(log: CountedLog, { after, until }: StampRange): { from: string; parameters: Parameters } {
  const { where, parameters } = conditionOf(log.criteria);
  const labels = log.by.map(
    (field) => `ifNull(substringUTF8(${valueSql(field, parameters)}, 1, ${LABEL_CHARACTERS}), '')`,
  );
  const key = labels.length ? `toJSONString([${labels.join(', ')}])` : `'[]'`;
  const number = log.value ? `toFloat64OrNull(${valueSql(log.value, parameters)})` : 'toFloat64(1)';
  const stretch = `stamp > ${parameters.bind('UInt64', after)} and stamp <= ${parameters.bind('UInt64', until)}`;
  const rows = `select time, stamp, seq, ${key} as key, ${number} as read from log where ${stretch} and ${where}`;
  // An entry that says no number, or one that is none, is not counted.
  const from = `select time, stamp, seq, key, assumeNotNull(read) as number from (${rows}) where read is not null and isFinite(read)`;
  return { from, parameters };
}
