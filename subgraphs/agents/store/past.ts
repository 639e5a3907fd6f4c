import type { DataSource } from 'typeorm';

/** What agents were, in PostgreSQL: a trigger writes each as it is after a change, with the change's event. */
export class PastStore {
  constructor(private readonly database: DataSource) {}

  /** An agent's snapshot as of a time: of its last change by then. */
  async at(agent: string, time: Date): Promise<Record<string, unknown> | undefined> {
    const [row]: { node: Record<string, unknown> }[] = await this.database.query(
      `select node from agent_past where agent_id = $1 and occurred_at <= $2
        order by occurred_at desc, seq desc limit 1`,
      [agent, time],
    );
    return row?.node;
  }

  /**
   * Forgets what was before a time, but for what each agent was at that time.
   * @returns how many snapshots went
   */
  async forget(before: Date, limit: number): Promise<number> {
    const [, count]: [unknown[], number] = await this.database.query(
      `delete from agent_past where ctid = any(array(
         select old.ctid from agent_past old
          where old.occurred_at < $1
            and exists (select 1 from agent_past later
                         where later.agent_id = old.agent_id and later.occurred_at <= $1
                           and (later.occurred_at, later.seq) > (old.occurred_at, old.seq))
          limit $2))`,
      [before, limit],
    );
    return count;
  }
}
