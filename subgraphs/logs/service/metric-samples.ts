import { type LogMetric, LogMetricKind } from '../entity/index.ts';
import { type Counted, type MetricSeries, type MetricState, OVERFLOW_KEY, type SeriesValue } from '../store/index.ts';
import { countedFieldOf, shownValue } from './analysis.ts';
import { labelOf, OVERFLOW_LABELS } from './metric-definition.ts';

/** A sample as the metrics house takes it. */
export interface LogSample {
  metric: string;
  labels: Record<string, string>;
  /** RFC 3339. */
  time: string;
  value: number;
  type: LogMetricKind;
}

const NOTHING: SeriesValue = { count: 0, sum: 0, last: 0, buckets: [] };

/** What a series amounts to with what came. */
export function added(before: SeriesValue | undefined, { count, sum, last, buckets }: Counted): SeriesValue {
  const was = before ?? NOTHING;
  return {
    count: was.count + count,
    sum: was.sum + sum,
    last,
    buckets: buckets.map((each, at) => (was.buckets[at] ?? 0) + each),
  };
}

/**
 * The samples of the moment that a metric is at. A series that is new then has one of zero before, so that what it grew by is
 * seen: from nothing to its first sample there is no growth.
 */
export function samplesOf(metric: LogMetric, state: MetricState, series: readonly MetricSeries[]): LogSample[] {
  const isGauge = metric.kind === LogMetricKind.GAUGE;
  return series
    .filter(({ sampledAt }) => sampledAt === state.sampledAt || (state.wholeAt === state.sampledAt && !isGauge))
    .flatMap(({ key, value, bornAt }) => {
      const labels = labelsOf(metric, key);
      const now = valuesOf(metric, labels, value, state.sampledAt);
      if (isGauge || bornAt !== state.sampledAt) return now;
      return [...now.map((sample) => ({ ...sample, time: timeOf(state.previousAt), value: 0 })), ...now];
    });
}

function valuesOf(metric: LogMetric, labels: Record<string, string>, value: SeriesValue, atMs: number): LogSample[] {
  const { name, kind, buckets } = metric;
  const sample = (suffix: string, number: number, more: Record<string, string> = {}): LogSample => ({
    metric: `${name}${suffix}`,
    labels: { ...labels, ...more },
    time: timeOf(atMs),
    value: number,
    type: kind,
  });
  if (kind === LogMetricKind.COUNTER) return [sample('', value.count)];
  if (kind === LogMetricKind.GAUGE) return [sample('', value.last)];
  return [
    ...buckets.map((bound, at) => sample('_bucket', value.buckets[at] ?? 0, { le: String(bound) })),
    sample('_bucket', value.count, { le: '+Inf' }),
    sample('_sum', value.sum),
    sample('_count', value.count),
  ];
}

function labelsOf({ by }: LogMetric, key: string): Record<string, string> {
  if (key === OVERFLOW_KEY) return OVERFLOW_LABELS;
  const values = JSON.parse(key) as string[];
  const labels: Record<string, string> = {};
  for (const [at, name] of by.entries()) {
    const [field, value] = [countedFieldOf(name), values[at]];
    // An empty label is no label.
    if (field && value) labels[labelOf(name)] = shownValue(field, value);
  }
  return labels;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
