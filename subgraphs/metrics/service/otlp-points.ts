import type { ExponentialPoint, HistogramPoint, OtlpMetricPoint, SummaryPoint } from '../../../lib/otlp/index.ts';
import type { Measurement, SeriesIdentity } from '../entity/measurement.ts';
import { MetricType, type Temporality } from '../entity/metric.ts';
import { labelsFault } from './limits.ts';

/** What became of a data point. */
export type Translated = { samples: Measurement[] } | { reason: string };

/** Where the point came from and when it arrived. */
export interface Arrival {
  nowMs: number;
  /** The agent whose credential brought it: it stands above what the resource says. */
  agentId: string | undefined;
}

const NS_PER_MS = 1_000_000n;

/**
 * A data point as samples: a histogram becomes `_bucket` (label `le`), `_sum` and `_count`, a summary its quantiles, `_sum` and
 * `_count`, as Prometheus has them. Names and labels stay as the source wrote them; `service`, `instance` and `agent_id` are added.
 */
export function samplesOfPoint(point: OtlpMetricPoint, arrival: Arrival): Translated {
  const labels = labelsOf(point, arrival.agentId);
  const fault = labelsFault(point.metric, labels);
  if (fault) return { reason: fault };
  // A point that says it has no value ends nothing here: its series simply has no sample then.
  if (point.noValue) return { samples: [] };
  const timeMs = point.timeNs === null ? arrival.nowMs : Number(BigInt(point.timeNs) / NS_PER_MS);
  const { metric, unit, description: help } = point;
  const identity = { metric, labels, unit, help, temporality: temporalityOf(point) };
  const at = (type: MetricType, suffix: string, value: number, more: Record<string, string> = {}): Measurement => ({
    ...identity,
    type,
    metric: metric + suffix,
    labels: Object.keys(more).length ? { ...labels, ...more } : labels,
    timeMs,
    value,
  });
  if (point.type === 'gauge') return { samples: [at(MetricType.GAUGE, '', point.value)] };
  if (point.type === 'sum') {
    return { samples: [at(point.monotonic ? MetricType.COUNTER : MetricType.GAUGE, '', point.value)] };
  }
  if (point.type === 'summary') return { samples: summary(point, at) };
  const buckets = point.type === 'histogram' ? explicitBuckets(point) : exponentialBuckets(point);
  return {
    samples: [
      ...buckets.map(({ le, count }) => at(MetricType.HISTOGRAM, '_bucket', count, { le })),
      ...(point.sum === null ? [] : [at(MetricType.HISTOGRAM, '_sum', point.sum)]),
      at(MetricType.HISTOGRAM, '_count', point.count),
    ],
  };
}

type Write = (type: MetricType, suffix: string, value: number, more?: Record<string, string>) => Measurement;

function summary(point: SummaryPoint, at: Write): Measurement[] {
  return [
    ...point.quantiles.map(({ quantile, value }) => at(MetricType.SUMMARY, '', value, { quantile: String(quantile) })),
    at(MetricType.SUMMARY, '_sum', point.sum),
    at(MetricType.SUMMARY, '_count', point.count),
  ];
}

interface Bucket {
  /** Upper bound as text. */
  le: string;
  /** How many values are at most that. */
  count: number;
}

function explicitBuckets({ bounds, counts }: HistogramPoint): Bucket[] {
  let below = 0;
  return counts.map((count, at) => {
    below += count;
    return { le: at < bounds.length ? String(bounds[at]) : '+Inf', count: below };
  });
}

/** Merged to powers of two, so that bounds stay the same while the source changes its scale. */
function exponentialBuckets({ scale, positive, negative, zeroCount, count }: ExponentialPoint): Bucket[] {
  const merged = new Map<number, number>();
  positive.counts.forEach((each, at) => {
    const index = positive.offset + at;
    const power = scale > 0 ? Math.floor(index / 2 ** scale) + 1 : (index + 1) * 2 ** -scale;
    if (each > 0) merged.set(power, (merged.get(power) ?? 0) + each);
  });
  let below = zeroCount + negative.counts.reduce((sum, each) => sum + each, 0);
  const buckets = [{ le: '0', count: below }];
  for (const [power, each] of [...merged].sort(([a], [b]) => a - b)) {
    below += each;
    // Beyond the largest number only +Inf is left.
    if (2 ** power < Infinity) buckets.push({ le: String(2 ** power), count: below });
  }
  return [...buckets, { le: '+Inf', count }];
}

function temporalityOf(point: OtlpMetricPoint): Temporality {
  return 'temporality' in point && point.temporality === 'DELTA' ? 'DELTA' : 'CUMULATIVE';
}

function labelsOf(point: OtlpMetricPoint, callerAgentId: string | undefined): SeriesIdentity['labels'] {
  const labels: Record<string, string> = { service: point.service };
  const instance = point.resource['service.instance.id'];
  if (instance !== undefined && instance !== null) labels['instance'] = textOf(instance);
  for (const [name, value] of Object.entries(point.attributes)) labels[name] = textOf(value);
  const agentId = callerAgentId ?? point.agentId;
  if (agentId) labels['agent_id'] = agentId;
  return labels;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
