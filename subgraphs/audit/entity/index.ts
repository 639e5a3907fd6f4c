export { DeletedPayload } from './deleted-payload.ts';
export { AuditEntry, AuditEntryConnection, AuditOutcome } from './entry.ts';
export { AuditEntriesArgs, AuditFilter, NewestEntriesArgs } from './filter.ts';
export { AuditAppended, AuditCheckpoint, AuditProof } from './proof.ts';
export { Agent, Alert, AlertRule, LogEntry } from './references.ts';
export {
  AuditRetention,
  AuditRetentionInput,
  AuditRetentionPayload,
  AuditSink,
  AuditSinkFormat,
  AuditSinkInput,
  AuditSinkPayload,
} from './sink.ts';
export { AuditCosigned, AuditWitness, AuditWitnessedLog } from './witness.ts';
