export type { AuditContext } from './context.ts';
export { AgentAuditResolver, AlertAuditResolver } from './contributions.ts';
export { AuditEntryResolver } from './entry.ts';
export { AuditResolver } from './root.ts';
export { auditRoutes } from './routes.ts';
export {
  AuditDeletedResolver,
  AuditRetentionPayloadResolver,
  AuditSinkPayloadResolver,
  AuditSinkResolver,
} from './sink.ts';
export { AuditCosignedResolver, AuditWitnessResolver } from './witness.ts';
