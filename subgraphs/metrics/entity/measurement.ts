import type { MetricType, Temporality } from './metric.ts';

/** What one series is: a name and a set of labels, with what is known of its numbers. */
export interface SeriesIdentity {
  metric: string;
  labels: Readonly<Record<string, string>>;
  type: MetricType;
  temporality: Temporality;
  unit: string;
  help: string;
}

/** One number of one series, ready to be stored. */
export interface Measurement extends SeriesIdentity {
  /** Milliseconds since 1970. */
  timeMs: number;
  value: number;
}
