import { type DataSource, In } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { ErrorResolution } from '../entity/error-resolution.ts';

/** Which groups of errors are resolved: PostgreSQL. The errors themselves are in ClickHouse. */
export class ErrorResolutionStore {
  constructor(private readonly database: DataSource) {}

  /** All, or those of these groups. @param uuids of groups */
  of(uuids?: readonly string[]): Promise<ErrorResolution[]> {
    return this.database.getRepository(ErrorResolution).find(uuids ? { where: { uuid: In([...uuids]) } } : {});
  }

  /** The resolution of this group, or null; a second change of the same group waits here until the first is done. */
  async lock(tx: Transaction, uuid: string): Promise<ErrorResolution | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('error_resolution'), hashtext($1))`, [uuid]);
    return await tx.getRepository(ErrorResolution).findOne({ where: { uuid } });
  }

  /** Holds back changes of these groups until the transaction ends; always in the same order, so that two never wait for each other. */
  async lockAll(tx: Transaction, uuids: readonly string[]): Promise<void> {
    await tx.query(
      `select pg_advisory_xact_lock(hashtext('error_resolution'), hashtext(sorted.id))
         from (select id from unnest($1::text[]) as t(id) order by hashtext(id) offset 0) sorted`,
      [uuids],
    );
  }

  count(tx: Transaction): Promise<number> {
    return tx.getRepository(ErrorResolution).count();
  }

  async save(tx: Transaction, resolution: ErrorResolution): Promise<void> {
    await tx.getRepository(ErrorResolution).save(resolution);
  }

  async remove(tx: Transaction, uuid: string): Promise<void> {
    await tx.getRepository(ErrorResolution).delete({ uuid });
  }
}
