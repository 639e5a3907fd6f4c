import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { RecoveryPolicy } from '../entity/recovery.ts';

/** SQL of recovery policies. */
export class PolicyStore {
  constructor(private readonly database: DataSource) {}

  all(): Promise<RecoveryPolicy[]> {
    return this.database.getRepository(RecoveryPolicy).find({ order: { name: 'ASC' } });
  }

  find(name: string): Promise<RecoveryPolicy | null> {
    return this.database.getRepository(RecoveryPolicy).findOneBy({ name });
  }

  count(tx: Transaction): Promise<number> {
    return tx.getRepository(RecoveryPolicy).count();
  }

  /** Locks a policy for a change; makes all who ask for the same name wait, also when there is none. */
  async lock(tx: Transaction, name: string): Promise<RecoveryPolicy | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('recovery_policy'), hashtext($1))`, [name]);
    return await tx.getRepository(RecoveryPolicy).findOneBy({ name });
  }

  async save(tx: Transaction, policy: RecoveryPolicy): Promise<void> {
    await tx.getRepository(RecoveryPolicy).upsert(policy, ['name']);
  }

  async delete(tx: Transaction, name: string): Promise<void> {
    await tx.getRepository(RecoveryPolicy).delete({ name });
  }
}
