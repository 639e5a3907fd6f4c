import type { Signal } from './messages.ts';
import type { Plain } from './protobuf.ts';

/** How a house tells the router how many records a body held, so that they count in its sender's rate. */
export const RECORDS_HEADER = 'x-fleet-records';

const PATHS: Record<Signal, readonly [resources: string, scopes: string, records: string]> = {
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
};
/** The kinds of a metric, each with its points. */
const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** How many records an export request holds: log records, data points or spans. What is not well formed counts nothing. */
export function recordCount(signal: Signal, message: Plain): number {
  const [resources, scopes, records] = PATHS[signal];
  let count = 0;
  for (const resource of listIn(message, resources)) {
    for (const scope of listIn(resource, scopes)) {
      const found = listIn(scope, records);
      count += signal === 'metrics' ? pointsOf(found) : found.length;
    }
  }
  return count;
}

function pointsOf(metrics: readonly unknown[]): number {
  let count = 0;
  for (const metric of metrics) {
    for (const kind of KINDS) count += listIn((metric as Plain | null)?.[kind], 'dataPoints').length;
  }
  return count;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = (value as Plain | null | undefined)?.[name];
  return Array.isArray(list) ? list : [];
}
