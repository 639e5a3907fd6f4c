export { AnalysisStore, type CountedField, type PatternRow } from './analysis.ts';
export { blockOf, LOG_TYPES, rowAt, writeRow } from './block.ts';
export { type ColdStorage, keepCold } from './cold.ts';
export { type Condition, conditionOf, type LogCriteria, matcherOf, type StoredCriteria } from './criteria.ts';
export { type BridgePlace, ErrorBridgeStore } from './error-bridges.ts';
export {
  type EntryPlace,
  type ErrorGroupRow,
  ErrorGroupStore,
  type GroupChoice,
  type SeenVersion,
} from './error-groups.ts';
export { ErrorResolutionStore } from './error-resolutions.ts';
export { ErrorWatchStore } from './error-watch.ts';
export type { SweptBefore, SweptPolicy } from './governed.ts';
export { LogMetricStore, type MetricSeries, type MetricState, type SeriesValue } from './log-metrics.ts';
export { type GroupColumn, LogStore, type ReadPage, type TailPlace } from './logs.ts';
export {
  type Counted,
  type CountedLog,
  MetricCountStore,
  OVERFLOW_KEY,
  type StampRange,
} from './metric-counts.ts';
export { type Named, NamedStore } from './named.ts';
export { LogReader, SEARCH_LIMITS } from './reader.ts';
export { RetentionStore } from './retention.ts';
export {
  entryOf,
  type LogRow,
  MAX_GROUP_ROWS,
  type NewLogRow,
  nanosOf,
  numberOf,
  rankOf,
  SEVERITIES,
  timeOfNanos,
  uuidOfPlace,
} from './row.ts';
export { LOG_FIELDS } from './search-fields.ts';
export { SweepStore, type SweptPart, type SweptRows } from './sweep.ts';
export { LOG_COLUMNS } from './tables.ts';
