import type { HouseRuntime } from '../../../lib/house.ts';
import { LogMetric, SavedLogSearch } from '../entity/index.ts';
import {
  AnalysisStore,
  LogMetricStore,
  type LogReader,
  type LogStore,
  MetricCountStore,
  NamedStore,
} from '../store/index.ts';
import { Analysis } from './analysis.ts';
import { SearchCompletion } from './completion.ts';
import { Exports } from './export.ts';
import { LogMetrics } from './log-metrics.ts';
import { MetricCounter } from './metric-counter.ts';
import { deliveryTo } from './metric-delivery.ts';
import { SavedSearches } from './saved-searches.ts';
import type { Watermark } from './tail.ts';

/** What is made of entries that are stored, put together from what the house has. */
export function readsOf(runtime: HouseRuntime, reader: LogReader, store: LogStore, mark: Watermark) {
  const { database, writes, clock, settings } = runtime;
  const searches = new SavedSearches(new NamedStore(database, SavedLogSearch), writes);
  const analyses = new AnalysisStore(reader);
  return {
    searches,
    analysis: new Analysis(analyses, searches, clock, settings.FLEET_LOG_PATTERN_ROWS, settings.FLEET_LOG_FACET_ROWS),
    completion: new SearchCompletion(analyses, clock),
    exports: new Exports(store, searches, mark, clock, settings.FLEET_LOG_EXPORT_ROWS),
    metrics: metricsOf(runtime, reader, searches, mark),
  };
}

function metricsOf(
  { database, writes, clock, log, houses, settings }: HouseRuntime,
  reader: LogReader,
  searches: SavedSearches,
  mark: Watermark,
): LogMetrics {
  const store = new LogMetricStore(database);
  const deliver = deliveryTo(houses['metrics'], clock);
  const counter = new MetricCounter({ counts: new MetricCountStore(reader), store, searches, mark, clock, deliver });
  const definitions = new NamedStore(database, LogMetric);
  const everyMs = settings.FLEET_LOG_METRICS_MS;
  return new LogMetrics({ definitions, store, counter, searches, mark, writes, clock, log, everyMs });
}
