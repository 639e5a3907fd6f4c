import type { DataSource } from 'typeorm';
import type { Transaction } from '../database.ts';
import { assert, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Worker } from '../worker.ts';
import type { Notifications } from './notifications.ts';

/** A table whose rows get gapless positions after commit (STREAMS.md 1.2). */
export interface SequencedTable {
  /** Table with `seq` and `position`; a word of ours, never input. */
  table: string;
  /** Table whose one row counts in `last_position`; `stream` when nothing is said. */
  counter?: string;
  /** Notification that rows without a position were committed. */
  wake: string;
  /** Notification that positions were given. */
  tell: string;
  /** Runs in the assigning transaction, e.g. to extend the Merkle tree by these rows. */
  extend?: (tx: Transaction, first: number, count: number) => Promise<void>;
}

const BATCH = 5_000;
const POLL_MS = 1_000;

/**
 * Gives every committed row it sees the next positions, in `seq` order. A leader by advisory lock, taken inside the transaction
 * that assigns and by a statement of its own, so that the snapshot of the assigning statement is taken under the lock.
 */
export class Sequencer {
  readonly #worker: Worker;

  constructor(
    private readonly database: DataSource,
    private readonly rows: SequencedTable,
    private readonly notifications: Notifications,
    log: Log,
  ) {
    this.#worker = new Worker(
      async () => (await this.assign()) === BATCH,
      POLL_MS,
      (error) => log.warn('sequencer.waits', { table: rows.table, error: messageOf(error) }),
    );
  }

  start(): void {
    this.notifications.on(this.rows.wake, () => this.#worker.wake());
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Gives positions once. @returns how many rows got one */
  assign(): Promise<number> {
    const { table, counter = 'stream', tell, extend } = this.rows;
    return this.database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext($1))`, [table]);
      const unplaced: { seq: string }[] = await tx.query(
        `select seq from ${table} where position is null order by seq limit ${BATCH}`,
      );
      if (!unplaced.length) return 0;
      const [rows]: [{ last: string }[], number] = await tx.query(
        `update ${counter} set last_position = last_position + $1 returning last_position as last`,
        [unplaced.length],
      );
      assert(rows[0], `there is one row in ${counter}`);
      const first = Number(rows[0].last) - unplaced.length + 1;
      await tx.query(
        `update ${table} t set position = $2::bigint + u.at - 1
           from unnest($1::bigint[]) with ordinality as u(seq, at) where t.seq = u.seq`,
        [unplaced.map(({ seq }) => seq), first],
      );
      await extend?.(tx, first, unplaced.length);
      await tx.query(`select pg_notify($1 || '_' || current_schema(), '')`, [tell]);
      return unplaced.length;
    });
  }
}
