import DataLoader from 'dataloader';
import type { ErrorGroup, LogEntry, LogMetricProgress, PolicyUsage } from './entity/index.ts';
import type { ErrorGroups } from './service/error-groups.ts';
import type { LogService } from './service/index.ts';
import type { LogMetrics } from './service/log-metrics.ts';

/** Batches of one request. */
export interface LogLoaders {
  /** By uuid; null when there is none. */
  entry: DataLoader<string, LogEntry | null>;
  /** By uuid; null when there is none. */
  errorGroup: DataLoader<string, ErrorGroup | null>;
  /** By the uuid of an entry; null when it is no error. */
  errorGroupOfEntry: DataLoader<string, ErrorGroup | null>;
  /** What a retention policy governs, by its name; null when there is none. */
  policyUsage: DataLoader<string, PolicyUsage | null>;
  /** By the name of a metric; null when there is none. */
  metricProgress: DataLoader<string, LogMetricProgress | null>;
}

export function logLoaders(service: LogService, groups: ErrorGroups, metrics: LogMetrics): LogLoaders {
  return {
    entry: new DataLoader<string, LogEntry | null>((uuids) => service.find(uuids)),
    errorGroup: new DataLoader<string, ErrorGroup | null>((uuids) => groups.find(uuids)),
    errorGroupOfEntry: new DataLoader<string, ErrorGroup | null>((uuids) => groups.ofEntries(uuids)),
    policyUsage: new DataLoader<string, PolicyUsage | null>((names) => service.retention.usage(names)),
    metricProgress: new DataLoader<string, LogMetricProgress | null>((names) => metrics.progress(names)),
  };
}
