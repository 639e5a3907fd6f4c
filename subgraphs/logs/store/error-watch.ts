import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** How far live groups of errors were told, in the transaction that tells them: whoever is killed tells nothing twice, and forgets nothing. */
export class ErrorWatchStore {
  constructor(private readonly database: DataSource) {}

  /** The stamp that all is told up to; begins at `now` where nothing was told yet. */
  async stamp(now: number): Promise<number> {
    const read = async () => (await this.database.query('select stamp from error_watch'))[0]?.stamp;
    const known = await read();
    if (known !== undefined) return Number(known);
    await this.database.query('insert into error_watch (stamp) values ($1) on conflict (one) do nothing', [now]);
    return Number(await read());
  }

  /** Goes on, unless another process did. @returns whether this one may tell */
  async advance(tx: Transaction, from: number, to: number): Promise<boolean> {
    const [, count]: [unknown, number] = await tx.query('update error_watch set stamp = $2 where stamp = $1', [
      from,
      to,
    ]);
    return count > 0;
  }

  /** What groups were told to be last, by uuid. */
  async told(tx: Transaction, uuids: readonly string[]): Promise<Map<string, object>> {
    const rows: { id: string; node: object }[] = await tx.query(
      'select id, node from error_told where id = any($1::uuid[])',
      [uuids],
    );
    return new Map(rows.map(({ id, node }) => [id, node]));
  }

  async tell(tx: Transaction, nodes: ReadonlyMap<string, object>): Promise<void> {
    await tx.query(
      `insert into error_told (id, node) select t.id, t.node from jsonb_to_recordset($1::jsonb) as t(id uuid, node jsonb)
       on conflict (id) do update set node = excluded.node`,
      [JSON.stringify([...nodes].map(([id, node]) => ({ id, node })))],
    );
  }

  /** Groups that were told and failed longest ago, by uuid. */
  async longestSilent(limit: number): Promise<string[]> {
    const rows: { id: string }[] = await this.database.query(
      `select id from error_told order by node ->> 'lastSeenAt', id limit $1`,
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async forget(tx: Transaction, uuids: readonly string[]): Promise<void> {
    await tx.query('delete from error_told where id = any($1::uuid[])', [uuids]);
  }
}
