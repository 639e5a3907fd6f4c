export { AnalysisResolver, PatternResolver } from './analysis.ts';
export { BesideResolver, ScanResolver } from './beside.ts';
export type { LogContext } from './context.ts';
export { AgentLogsResolver, AlertLogsResolver, TraceLogsResolver } from './contributions.ts';
export { ErrorGroupChangeResolver, ErrorGroupResolver, LogEntryErrorResolver } from './error-group.ts';
export { exportRoute } from './export-route.ts';
export { RetentionPayloadResolver, RetentionPolicyResolver, RetentionResolver } from './retention.ts';
export { LogsResolver } from './root.ts';
