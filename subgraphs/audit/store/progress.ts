import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** Entries from one position, exclusive, to another. */
export interface Stretch {
  after: number;
  upTo: number;
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
   * @param limit entries at most
   * @param size entries there are
   * @returns undefined when there is nothing to do
   */
  async begin(name: string, limit: number, size: number): Promise<Stretch | undefined> {
    return await this.database.transaction(async (tx) => {
      await tx.query('insert into progress (name) values ($1) on conflict (name) do nothing', [name]);
      const [row] = await tx.query('select position, up_to from progress where name = $1 for update', [name]);
      const after = Number(row.position);
      if (row.up_to !== null) return { after, upTo: Number(row.up_to) };
      const upTo = Math.min(size, after + limit);
      if (upTo <= after) return undefined;
      await tx.query('update progress set up_to = $2 where name = $1', [name, upTo]);
      return { after, upTo };
    });
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
      'update progress set position = $3, up_to = null where name = $1 and position = $2',
      [name, after, upTo],
    );
    return count > 0;
  }
}
