import type { DataSource } from 'typeorm';
import type { CursorSealer } from '../cursor.ts';
import type { Transaction } from '../database.ts';
import { Place } from './place.ts';
import { STATE } from './table-source.ts';

/** What was read, and where its stream goes on. */
export interface Moment<T> {
  read: T;
  changeCursor: string;
}

/** Reads of a house's own tables as of one moment of its change stream. */
export class Moments {
  constructor(
    private readonly database: DataSource,
    private readonly cursors: CursorSealer,
  ) {}

  /**
   * Reads in one snapshot, and tells the cursor as of it: behind it comes what the reading does not show, and nothing else
   * (STREAMS.md 2.3).
   */
  asOf<T>(type: string, read: (tx: Transaction) => Promise<T>): Promise<Moment<T>> {
    return this.database.transaction('REPEATABLE READ', async (tx) => {
      const [{ epoch, last }]: [{ epoch: string; last: string }] = await tx.query(STATE);
      const shown: { from: string; to: string }[] = await tx.query(
        `select min(seq) as from, max(seq) as to
           from (select seq, seq - row_number() over (order by seq) as stretch from event where position is null) unplaced
          group by stretch order by 1`,
      );
      const stretches = shown.map(({ from, to }): [number, number] => [Number(from), Number(to)]);
      const changeCursor = new Place(epoch, Number(last), stretches).seal(this.cursors, type);
      return { read: await read(tx), changeCursor };
    });
  }
}
