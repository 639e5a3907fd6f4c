import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { RetentionPolicy } from '../entity/index.ts';

/** Retention policies, and how far retention went: PostgreSQL. */
export class RetentionStore {
  constructor(private readonly database: DataSource) {}

  all(): Promise<RetentionPolicy[]> {
    return this.database.getRepository(RetentionPolicy).find({ order: { name: 'asc' } });
  }

  /** The policy of this name, locked; null when there is none. */
  lock(tx: Transaction, name: string): Promise<RetentionPolicy | null> {
    return tx.getRepository(RetentionPolicy).findOne({ where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** Two that make the same name at once: the second waits here and then finds the first's. */
  async serialize(tx: Transaction, name: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('retention_policy'), hashtext($1))`, [name]);
  }

  count(tx: Transaction): Promise<number> {
    return tx.getRepository(RetentionPolicy).count();
  }

  async save(tx: Transaction, policy: RetentionPolicy): Promise<void> {
    await tx.getRepository(RetentionPolicy).save(policy);
  }

  /** The highest stamp that retention removed. */
  async sweptStamp(): Promise<number> {
    const [row] = await this.database.query('select swept_stamp from retention_state');
    return Number(row.swept_stamp);
  }

  async raiseSweptStamp(tx: Transaction, stamp: number): Promise<void> {
    await tx.query('update retention_state set swept_stamp = greatest(swept_stamp, $1)', [stamp]);
  }
}
