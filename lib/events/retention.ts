import type { DataSource } from 'typeorm';
import type { Transaction } from '../database.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings/index.ts';
import { Worker } from '../worker.ts';

/** How long a house keeps what its streams told. */
export interface RetentionLimits {
  /** Events older than this go, milliseconds. */
  maxAgeMs: number;
  /** Events beyond this many go, the oldest first. */
  maxEvents: number;
  /** How many values of `seq` a partition spans. */
  partitionRows: number;
}

const DAY_MS = 86_400_000;

export function retentionLimits(settings: Settings): RetentionLimits {
  const { FLEET_EVENT_RETENTION_DAYS: days, FLEET_EVENT_RETENTION_COUNT: maxEvents } = settings;
  return { maxAgeMs: days * DAY_MS, maxEvents, partitionRows: 250_000 };
}

interface Partition {
  name: string;
  /** It holds `seq` below this. */
  upper: number;
}

const POLL_MS = 30_000;
/** Rows deleted one by one in a run, where there is no partition to drop. */
const BATCH = 10_000;
/** Dropping a partition makes everybody wait: rather later than long. */
const LOCK_TIMEOUT_MS = 500;

/**
 * Takes away old events, a partition at a time, and makes partitions for those to come (STREAMS.md 1.3). One house's processes
 * do it in turn.
 */
export class Retention {
  readonly #worker: Worker;

  constructor(
    private readonly database: DataSource,
    private readonly limits: RetentionLimits,
    private readonly nowMs: () => number,
    log: Log,
  ) {
    this.#worker = new Worker(
      () => this.run(),
      POLL_MS,
      (error) => log.warn('retention.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** One round. @returns whether there is more to do at once */
  async run(): Promise<boolean> {
    await this.#step((tx) => this.#makeRoom(tx));
    while (await this.#step((tx) => this.#dropOldest(tx)));
    return (await this.#step((tx) => this.#sweep(tx))) === true;
  }

  /**
   * One transaction each: what is locked for one step must not be waited for by those whom the next one waits for.
   * @returns undefined when another process has its turn
   */
  #step<T>(work: (tx: Transaction) => Promise<T>): Promise<T | undefined> {
    return this.database.transaction(async (tx) => {
      await tx.query(`select set_config('lock_timeout', $1, true)`, [String(LOCK_TIMEOUT_MS)]);
      const [{ mine }] = await tx.query(
        `select pg_try_advisory_xact_lock(hashtext(current_schema()), hashtext('retention')) as mine`,
      );
      return mine ? await work(tx) : undefined;
    });
  }

  /** There is always a whole partition ahead of what was given out last. */
  async #makeRoom(tx: Transaction): Promise<void> {
    const { partitionRows } = this.limits;
    const given = await lastGiven(tx);
    const upper = (await partitionsOf(tx)).at(-1)?.upper ?? 0;
    if (upper - given > partitionRows) return;
    const [{ beyond }]: [{ beyond: string | null }] = await tx.query('select max(seq) as beyond from event_beyond');
    // What fell beyond the partitions stays there: the next one begins behind it, with room for what is being written.
    const from = beyond === null && upper > given ? upper : given + partitionRows;
    const name = `event_${from}`;
    await tx.query(`create table ${name} (like event including defaults including constraints, unique (position))`);
    await tx.query(`alter table event attach partition ${name} for values from (${from}) to (${from + partitionRows})`);
  }

  /** Drops the oldest partition, if nothing is written to it any more and its newest event is old. @returns whether it was */
  async #dropOldest(tx: Transaction): Promise<boolean> {
    const [oldest] = await partitionsOf(tx);
    if (!oldest || oldest.upper > (await lastGiven(tx))) return false;
    const { name } = oldest;
    const [unplaced] = await tx.query(`select 1 from ${name} where position is null limit 1`);
    if (unplaced) return false;
    const [newest]: { position: string; occurred_at: Date }[] = await tx.query(
      `select position, occurred_at from ${name} order by position desc limit 1`,
    );
    const { before, upTo } = await this.#bounds(tx);
    if (newest && newest.occurred_at >= before && Number(newest.position) > upTo) return false;
    await tx.query(`drop table ${name}`);
    if (newest) await forget(tx, Number(newest.position));
    return true;
  }

  /** Deletes one by one what cannot be dropped: little of it is old, or little is written at all. @returns whether there is more */
  async #sweep(tx: Transaction): Promise<boolean> {
    const { before, upTo } = await this.#bounds(tx);
    const [oldest] = await partitionsOf(tx);
    const isInUse = oldest && oldest.upper > (await lastGiven(tx));
    let isMore = false;
    for (const name of [...(isInUse ? [oldest.name] : []), 'event_beyond']) {
      const [gone]: [{ position: string }[], number] = await tx.query(
        `delete from ${name} where seq in (
           select seq from (
             select seq, occurred_at, position from ${name} where position is not null order by position limit ${BATCH}) lowest
            where occurred_at < $1 or position <= $2)
         returning position`,
        [before, upTo],
      );
      if (gone.length > 0) await forget(tx, Math.max(...gone.map(({ position }) => Number(position))));
      isMore ||= gone.length === BATCH;
    }
    return isMore;
  }

  /** What is older, or not above, goes. */
  async #bounds(tx: Transaction): Promise<{ before: Date; upTo: number }> {
    const [{ last }]: [{ last: string }] = await tx.query('select last_position as last from stream');
    const { maxAgeMs, maxEvents } = this.limits;
    return { before: new Date(this.nowMs() - maxAgeMs), upTo: Number(last) - maxEvents };
  }
}

/** The highest `seq` that was given out. */
async function lastGiven(tx: Transaction): Promise<number> {
  const [{ given }]: [{ given: string }] = await tx.query('select last_value as given from event_seq_seq');
  return Number(given);
}

/** Those with bounds, the oldest first. */
async function partitionsOf(tx: Transaction): Promise<Partition[]> {
  const rows: { name: string; upper: string }[] = await tx.query(
    `select name, upper from (
       select c.relname as name, substring(pg_get_expr(c.relpartbound, c.oid) from $$TO \\('?(\\d+)'?\\)$$)::bigint as upper
         from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'event'::regclass) p
      where upper is not null order by upper`,
  );
  return rows.map(({ name, upper }) => ({ name, upper: Number(upper) }));
}

/** Whoever has not read up to here is told of the gap. */
async function forget(tx: Transaction, position: number): Promise<void> {
  await tx.query('update stream set oldest_position = greatest(oldest_position, $1::bigint + 1)', [position]);
}
