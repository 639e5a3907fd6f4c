import type { MigrationInterface } from 'typeorm';
import { AuditTrail1795405000003 } from './1795405000003-audit-trail.ts';

type Migration = abstract new (...args: never[]) => MigrationInterface;

/** The migrations of each house, in the order they run. Never edit one that has shipped: add another. */
export const migrations: Record<string, Migration[]> = {
  agents: [],
  logs: [],
  audit: [AuditTrail1795405000003],
  alerts: [],
  metrics: [],
};
