import { collectDefaultMetrics, Registry } from 'prom-client';

/** A number of a registry at one time, as `recordSamples` takes it. */
export interface ProcessSample {
  metric: string;
  labels: Record<string, string>;
  /** Milliseconds since 1970. */
  timeMs: number;
  value: number;
  type: 'GAUGE' | 'COUNTER' | 'HISTOGRAM' | 'SUMMARY';
}

/** What this process counts of itself. */
export interface ProcessMetrics {
  /** Counters, gauges and histograms of the process go in here. */
  registry: Registry;
  /** Prometheus' text format, for `/metrics`. */
  text(): Promise<string>;
  /** Everything as samples of this time; what is not finite is left out. */
  samples(timeMs: number): Promise<ProcessSample[]>;
}

/** A registry of one process with memory, CPU, garbage collection and event-loop delay; `process` labels every series. */
export function openProcessMetrics(process: string): ProcessMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    text: () => registry.metrics(),
    samples: async (timeMs) => samplesOf(await registry.getMetricsAsJSON(), { process }, timeMs),
  };
}

/** What `getMetricsAsJSON` gives of a metric. */
interface RegistryMetric {
  name: string;
  type: unknown;
  values?: readonly {
    value: number;
    labels: Partial<Record<string, string | number>>;
    /** Of a histogram's or summary's parts. */
    metricName?: string;
  }[];
}

/** A registry's JSON as samples. @param more labels that every sample gets */
export function samplesOf(
  metrics: readonly RegistryMetric[],
  more: Readonly<Record<string, string>>,
  timeMs: number,
): ProcessSample[] {
  return metrics.flatMap(({ name, type, values = [] }) =>
    values
      .filter(({ value }) => Number.isFinite(value))
      .map(({ value, labels, metricName }) => ({
        metric: metricName ?? name,
        labels: { ...more, ...Object.fromEntries(Object.entries(labels).map(([key, label]) => [key, String(label)])) },
        timeMs,
        value,
        type: String(type).toUpperCase() as ProcessSample['type'],
      })),
  );
}
