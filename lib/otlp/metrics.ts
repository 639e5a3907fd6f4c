import type { Plain } from './protobuf.ts';
import { Collector, type Decoded, eachRecord, type Origin } from './records.ts';
import {
  attributesOf,
  bigintOf,
  checkText,
  enumOf,
  listOf,
  nanosOf,
  numberOf,
  objectOf,
  RecordFault,
} from './values.ts';

export const TEMPORALITIES = ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'] as const;

interface PointBase extends Origin {
  metric: string;
  unit: string;
  description: string;
  attributes: Record<string, unknown>;
  /** Nanoseconds since 1970, decimal; null when it says none. */
  timeNs: string | null;
  startNs: string | null;
  /** The point says that there is no value (staleness). */
  noValue: boolean;
}

export interface GaugePoint extends PointBase {
  type: 'gauge';
  value: number;
}

export interface SumPoint extends PointBase {
  type: 'sum';
  value: number;
  monotonic: boolean;
  temporality: (typeof TEMPORALITIES)[number];
}

interface Distribution extends PointBase {
  count: number;
  /** Absent when the values may be negative. */
  sum: number | null;
  min: number | null;
  max: number | null;
  temporality: (typeof TEMPORALITIES)[number];
}

export interface HistogramPoint extends Distribution {
  type: 'histogram';
  /** Upper bounds, rising; `counts` has one more for what is above the last. Both empty: only count and sum are known. */
  bounds: number[];
  counts: number[];
}

export interface ExponentialPoint extends Distribution {
  type: 'exponentialHistogram';
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: { offset: number; counts: number[] };
  negative: { offset: number; counts: number[] };
}

export interface SummaryPoint extends PointBase {
  type: 'summary';
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
}

/** One data point as it came, checked. */
export type OtlpMetricPoint = GaugePoint | SumPoint | HistogramPoint | ExponentialPoint | SummaryPoint;

const NAMES = { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' };
const TYPES = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;
const NO_VALUE = 1;

/** Reads an ExportMetricsServiceRequest: every data point by itself. */
export function metricPointsOf(request: Plain): Decoded<OtlpMetricPoint> {
  const collector = new Collector<OtlpMetricPoint>();
  eachRecord(request, NAMES, (metric, origin) => {
    const type = TYPES.find((name) => metric[name] !== undefined && metric[name] !== null);
    if (!type) return;
    const holder = objectOf(metric[type], type);
    for (const point of listOf(holder['dataPoints'], 'data points')) {
      collector.take(() => pointOf(type, { metric, holder, point }, origin()));
    }
  });
  return collector.done();
}

interface Source {
  metric: Plain;
  holder: Plain;
  point: Plain;
}

function pointOf(type: (typeof TYPES)[number], source: Source, origin: Origin): OtlpMetricPoint {
  const { holder, point } = source;
  const base = baseOf(source, origin);
  const temporality = TEMPORALITIES[
    enumOf(holder['aggregationTemporality'], 2, 'the temporality')
  ] as SumPoint['temporality'];
  if (type === 'gauge') return { ...base, type, value: pointValueOf(point) };
  if (type === 'sum')
    return { ...base, type, value: pointValueOf(point), monotonic: holder['isMonotonic'] === true, temporality };
  if (type === 'summary') {
    return {
      ...base,
      type,
      count: countOf(point['count']),
      sum: numberOf(point['sum'], 'the sum'),
      quantiles: listOf(point['quantileValues'], 'quantiles').map(({ quantile, value }) => ({
        quantile: numberOf(quantile, 'a quantile'),
        value: numberOf(value, 'a quantile’s value'),
      })),
    };
  }
  const distribution = {
    ...base,
    temporality,
    count: countOf(point['count']),
    sum: optional(point['sum'], 'the sum'),
    min: optional(point['min'], 'the minimum'),
    max: optional(point['max'], 'the maximum'),
  };
  return type === 'histogram' ? histogramOf(distribution, point) : exponentialOf(distribution, point);
}

function baseOf({ metric, point }: Source, origin: Origin): PointBase {
  const name = checkText(metric['name'], 'the metric’s name');
  if (!name) throw new RecordFault('the metric has no name');
  return {
    ...origin,
    metric: name,
    unit: checkText(metric['unit'], 'the unit'),
    description: checkText(metric['description'], 'the description'),
    attributes: attributesOf(point['attributes']),
    timeNs: nanosOf(point['timeUnixNano'], 'the time'),
    startNs: nanosOf(point['startTimeUnixNano'], 'the start'),
    noValue: (numberOf(point['flags'], 'flags') & NO_VALUE) !== 0,
  };
}

function histogramOf(distribution: Distribution, point: Plain): HistogramPoint {
  const bounds = numbersOf(point['explicitBounds'], 'bounds');
  const counts = countsOf(point['bucketCounts']);
  const matches = counts.length === bounds.length + 1 || (counts.length === 0 && bounds.length === 0);
  if (!matches) throw new RecordFault('a histogram has one count more than bounds');
  if (bounds.some((bound, at) => at > 0 && !(bound > (bounds[at - 1] as number)))) {
    throw new RecordFault('a histogram’s bounds must rise');
  }
  return { ...distribution, type: 'histogram', bounds, counts };
}

function exponentialOf(distribution: Distribution, point: Plain): ExponentialPoint {
  return {
    ...distribution,
    type: 'exponentialHistogram',
    scale: numberOf(point['scale'], 'the scale'),
    zeroCount: countOf(point['zeroCount']),
    zeroThreshold: numberOf(point['zeroThreshold'], 'the zero threshold'),
    positive: bucketsOf(point['positive']),
    negative: bucketsOf(point['negative']),
  };
}

function bucketsOf(value: unknown): { offset: number; counts: number[] } {
  const buckets = objectOf(value, 'buckets');
  return { offset: numberOf(buckets['offset'], 'the offset'), counts: countsOf(buckets['bucketCounts']) };
}

function pointValueOf(point: Plain): number {
  if (point['asInt'] !== undefined && point['asInt'] !== null) return Number(bigintOf(point['asInt'], 'the value'));
  return numberOf(point['asDouble'], 'the value');
}

function optional(value: unknown, what: string): number | null {
  return value === undefined || value === null ? null : numberOf(value, what);
}

function countOf(value: unknown): number {
  if (value === undefined || value === null) return 0;
  const count = Number(bigintOf(value, 'a count'));
  if (count < 0) throw new RecordFault('a count is negative');
  return count;
}

function countsOf(value: unknown): number[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RecordFault('counts are not a list');
  return value.map(countOf);
}

function numbersOf(value: unknown, what: string): number[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new RecordFault(`${what} are not a list`);
  return value.map((item) => numberOf(item, what));
}
