import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { AgentVersion } from '../entity/agent-version.ts';

/** Published versions in PostgreSQL. */
export class VersionStore {
  constructor(private readonly database: DataSource) {}

  /** All versions of a kind, in no order; in a transaction when one reads them. */
  ofKind(kind: string, tx?: Transaction): Promise<AgentVersion[]> {
    return (tx ?? this.database).getRepository(AgentVersion).findBy({ kind });
  }

  find(kind: string, version: string, tx?: Transaction): Promise<AgentVersion | null> {
    return (tx ?? this.database).getRepository(AgentVersion).findOneBy({ kind, version });
  }

  /** Nobody else publishes a version of this kind until the transaction ends. */
  async lockKind(tx: Transaction, kind: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('agent version'), hashtext($1))`, [kind]);
  }

  async insert(tx: Transaction, version: AgentVersion): Promise<void> {
    await tx.getRepository(AgentVersion).insert(version as never);
  }
}
