import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** Entries from one position, exclusive, to another. */
export interface Stretch {
  after: number;
  upTo: number;
}

/** Who wants the next stretch, and until when it is his alone. */
export interface Claim {
  /** Of the row. */
  name: string;
  /** This process. */
  holder: string;
  /** Longer than giving a stretch away may take, milliseconds of the database's clock. */
  leaseMs: number;
  /** Entries at most. */
  limit: number;
  /** Entries there are. */
  size: number;
  /** The applied sink it is for, as it must still be. */
  applied?: { name: string; version: number } | undefined;
}

/** How far somebody came with the trail; kept with it, so that a database that is put back goes on from where it was. */
export class ProgressStore {
  constructor(private readonly database: DataSource) {}

  async position(name: string): Promise<number> {
    const [row] = await this.database.query('select position from progress where name = $1', [name]);
    return Number(row?.position ?? 0);
  }

  /**
   * Begins the next stretch, or the one that was begun and not ended.
   * @returns undefined when there is nothing to do, another process is at it, or the sink was changed
   */
  async begin({ name, holder, leaseMs, limit, size, applied }: Claim): Promise<Stretch | undefined> {
    return await this.database.transaction(async (tx) => {
      if (applied) {
        const asKnown = 'select 1 from sink where name = $1 and version = $2 for share';
        if (!(await tx.query(asKnown, [applied.name, applied.version])).length) return undefined;
      }
      await tx.query('insert into progress (name) values ($1) on conflict (name) do nothing', [name]);
      const [row] = await tx.query(
        `select position, up_to, holder is distinct from $2 and held_until > now() as is_taken
           from progress where name = $1 for update`,
        [name, holder],
      );
      const after = Number(row.position);
      const upTo = row.up_to === null ? Math.min(size, after + limit) : Number(row.up_to);
      if (row.is_taken || upTo <= after) return undefined;
      await tx.query(
        `update progress set up_to = $2, holder = $3, held_until = now() + $4 * interval '1 ms' where name = $1`,
        [name, upTo, holder, leaseMs],
      );
      return { after, upTo };
    });
  }

  /** Lets others have what this process holds. */
  async release(name: string, holder: string): Promise<void> {
    await this.database.query('update progress set holder = null, held_until = null where name = $1 and holder = $2', [
      name,
      holder,
    ]);
  }

  /** Goes on in one transaction with what is done meanwhile, one process at a time. @returns by how many positions */
  async advance(name: string, work: (tx: Transaction, after: number) => Promise<number>): Promise<number> {
    return await this.database.transaction(async (tx) => {
      await tx.query('insert into progress (name) values ($1) on conflict (name) do nothing', [name]);
      const [row] = await tx.query('select position from progress where name = $1 for update', [name]);
      const after = Number(row.position);
      const position = await work(tx, after);
      if (position > after) await tx.query('update progress set position = $2 where name = $1', [name, position]);
      return position - after;
    });
  }

  /** Ends a stretch. @returns false when another process did */
  async end(name: string, { after, upTo }: Stretch): Promise<boolean> {
    const [, count]: [unknown, number] = await this.database.query(
      'update progress set position = $3, up_to = null, holder = null, held_until = null where name = $1 and position = $2',
      [name, after, upTo],
    );
    return count > 0;
  }
}
