import type { DataSource } from 'typeorm';

/** The processes of this house, as they say of themselves; times are the database's, so that their clocks need not agree. */
export class PeerStore {
  constructor(private readonly database: DataSource) {}

  /** Says that this process is there, and forgets those that are not. @returns how many others are */
  async say(id: string, goneMs: number): Promise<number> {
    const [{ others }]: [{ others: number }] = await this.database.query(
      `with gone as (delete from agent_peer where id <> $1 and seen_at < now() - make_interval(secs => $2::float8 / 1000)),
            said as (insert into agent_peer (id, seen_at) values ($1, now())
                     on conflict (id) do update set seen_at = excluded.seen_at)
       select count(*)::int as others from agent_peer
        where id <> $1 and seen_at >= now() - make_interval(secs => $2::float8 / 1000)`,
      [id, goneMs],
    );
    return others;
  }

  async leave(id: string): Promise<void> {
    await this.database.query('delete from agent_peer where id = $1', [id]);
  }
}
