export type { LogContext } from './context.ts';
export { AgentLogsResolver, AlertLogsResolver, TraceLogsResolver } from './contributions.ts';
export { ErrorGroupResolver, LogEntryErrorResolver } from './error-group.ts';
export { RetentionResolver } from './retention.ts';
export { LogsResolver } from './root.ts';
