import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { RetentionPolicy } from '../entity/index.ts';

/** Retention policies, and how far retention went: PostgreSQL. */
export class RetentionStore {
  constructor(private readonly database: DataSource) {}

  all(tx?: Transaction): Promise<RetentionPolicy[]> {
    return (tx ?? this.database).getRepository(RetentionPolicy).find({ order: { name: 'asc' } });
  }

  /** The policy of this name, locked; null when there is none. */
  lock(tx: Transaction, name: string): Promise<RetentionPolicy | null> {
    return tx.getRepository(RetentionPolicy).findOne({ where: { name }, lock: { mode: 'pessimistic_write' } });
  }

  /** Two that make the same name at once: the second waits here and then finds the first's. */
  async serialize(tx: Transaction, name: string): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('retention_policy'), hashtext($1))`, [name]);
  }

  /**
   * Holds off what removes entries, and waits for the day that is being removed, until the transaction ends: what a policy that
   * was applied holds is not removed afterwards. @throws OVERLOADED when that day takes too long
   */
  async holdOffSweeps(tx: Transaction): Promise<void> {
    try {
      await tx.query(`select pg_advisory_xact_lock(hashtext('retention_sweep'))`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
      throw new FleetError('OVERLOADED', 'entries are being removed at this moment: try again', {
        retryAfterMs: 2_000,
      });
    }
  }

  count(tx: Transaction): Promise<number> {
    return tx.getRepository(RetentionPolicy).count();
  }

  async save(tx: Transaction, policy: RetentionPolicy): Promise<void> {
    await tx.getRepository(RetentionPolicy).save(policy);
  }

  async delete(tx: Transaction, name: string): Promise<void> {
    await tx.getRepository(RetentionPolicy).delete({ name });
  }

  /** The highest stamp that retention removed. */
  async sweptStamp(): Promise<number> {
    const [row] = await this.database.query('select swept_stamp from retention_state');
    return Number(row.swept_stamp);
  }

  /** The sweep that was told and is not done, and how many were ended before. */
  async sweep(): Promise<{ plan: unknown; sweeps: number }> {
    const [row] = await this.database.query('select plan, sweeps from retention_state');
    return { plan: row.plan, sweeps: Number(row.sweeps) };
  }

  /**
   * Writes down what is about to be removed, up to this stamp.
   * @returns false when another process was faster: nothing is written
   */
  async begin(tx: Transaction, plan: object, sweeps: number, stamp: number): Promise<boolean> {
    const [, count] = await tx.query(
      `update retention_state set plan = $1, swept_stamp = greatest(swept_stamp, $3) where plan is null and sweeps = $2`,
      [JSON.stringify(plan), sweeps, stamp],
    );
    return count === 1;
  }

  /** Ends the sweep of this number. @returns false when another process did */
  async end(tx: Transaction, sweeps: number): Promise<boolean> {
    const [, count] = await tx.query(
      'update retention_state set plan = null, sweeps = sweeps + 1 where plan is not null and sweeps = $1',
      [sweeps],
    );
    return count === 1;
  }

  /** A transaction in which a day of entries may be removed, however long that takes. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await tx.query(`select set_config('idle_in_transaction_session_timeout', '0', true)`);
      return await work(tx);
    });
  }
}

/** PostgreSQL's lock_not_available. */
const LOCK_NOT_AVAILABLE = '55P03';
