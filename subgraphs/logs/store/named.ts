import type { DataSource, FindOptionsWhere, ObjectLiteral } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** Configuration that is known by its name and counts its changes. */
export interface Named extends ObjectLiteral {
  name: string;
  version: number;
}

/** What is configured by name: PostgreSQL. */
export class NamedStore<T extends Named> {
  constructor(
    private readonly database: DataSource,
    private readonly entity: new () => T,
  ) {}

  all(): Promise<T[]> {
    return this.database.getRepository(this.entity).find({ order: { name: 'asc' } as never });
  }

  find(name: string): Promise<T | null> {
    return this.database.getRepository(this.entity).findOneBy({ name } as FindOptionsWhere<T>);
  }

  /** The one of this name, or null; a second change of the same name waits here until the first is done. */
  async lock(tx: Transaction, name: string): Promise<T | null> {
    await tx.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [this.entity.name, name]);
    return await tx.getRepository(this.entity).findOneBy({ name } as FindOptionsWhere<T>);
  }

  count(tx: Transaction): Promise<number> {
    return tx.getRepository(this.entity).count();
  }

  async save(tx: Transaction, row: T): Promise<void> {
    await tx.getRepository(this.entity).save(row as never);
  }

  async remove(tx: Transaction, name: string): Promise<void> {
    await tx.getRepository(this.entity).delete({ name } as FindOptionsWhere<T>);
  }
}
