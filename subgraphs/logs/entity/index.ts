export { LogCompletion, LogFacet, LogPattern, LogScan } from './analysis.ts';
export {
  ErrorGroup,
  ErrorGroupConnection,
  ErrorGroupPayload,
  ErrorGroupState,
  ReopenErrorGroupInput,
  ResolveErrorGroupInput,
} from './error-group.ts';
export { ErrorGroupChange, ErrorGroupFilter } from './error-group-change.ts';
export { ErrorResolution } from './error-resolution.ts';
export { IngestLogsInput, IngestLogsPayload, LogIntake, LogRecordInput } from './ingest.ts';
export { LogBucket, LogConnection, LogEntry, LogTail } from './log-entry.ts';
export { LabelMatch, LogMatch, LogMatchInput } from './log-match.ts';
export { LogMetric, LogMetricInput, LogMetricKind, LogMetricPayload, LogMetricProgress } from './log-metric.ts';
export { Agent, Alert, Trace } from './references.ts';
export { type PolicyUsage, RetentionPolicy, RetentionPolicyInput, RetentionPolicyPayload } from './retention.ts';
export { RetentionReason, RetentionRemoval } from './retention-removal.ts';
export { SavedLogSearch, SavedLogSearchInput, SavedLogSearchPayload } from './saved-search.ts';
