import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { AuditSink } from '../entity/index.ts';

/** What was applied of retention. */
export interface StoredRetention {
  version: number;
  /** Null: for good. */
  keepForMs: number | null;
}

/** Sinks and the retention of the trail, as they were applied. */
export class SinkStore {
  constructor(private readonly database: DataSource) {}

  all(): Promise<AuditSink[]> {
    return this.database.getRepository(AuditSink).find({ order: { name: 'ASC' } });
  }

  one(name: string): Promise<AuditSink | null> {
    return this.database.getRepository(AuditSink).findOneBy({ name });
  }

  /** Locks them for a change of one; how many there are is looked at too. */
  async lock(tx: Transaction, name: string): Promise<{ known: AuditSink | null; count: number }> {
    await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('sinks'))`);
    const sinks = tx.getRepository(AuditSink);
    return { known: await sinks.findOneBy({ name }), count: await sinks.count() };
  }

  async save(tx: Transaction, sink: AuditSink): Promise<void> {
    await tx.getRepository(AuditSink).upsert(sink, ['name']);
  }

  /** Takes it away with how far it came: of that name another begins at the first entry. */
  async remove(tx: Transaction, name: string, position: string): Promise<void> {
    await tx.query('delete from sink where name = $1', [name]);
    await tx.query('delete from progress where name = $1', [position]);
  }

  /** Undefined while nothing was applied. @param tx locks it for a change */
  async retention(tx?: Transaction): Promise<StoredRetention | undefined> {
    if (tx) await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('trail retention'))`);
    const [row] = await (tx ?? this.database).query('select version, keep_for_ms from trail_retention');
    return row && { version: row.version, keepForMs: row.keep_for_ms === null ? null : Number(row.keep_for_ms) };
  }

  async saveRetention(tx: Transaction, { version, keepForMs }: StoredRetention): Promise<void> {
    await tx.query(
      `insert into trail_retention (version, keep_for_ms) values ($1, $2)
       on conflict (one) do update set version = excluded.version, keep_for_ms = excluded.keep_for_ms`,
      [version, keepForMs],
    );
  }
}
