import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { AgentEvent } from '../entity/agent-event.ts';

/** Agents' stories in PostgreSQL. */
export class StoryStore {
  constructor(private readonly database: DataSource) {}

  /** What is there already stays as it is: an agent tells a thing until it knows that it was heard. */
  async add(tx: Transaction, events: readonly AgentEvent[]): Promise<void> {
    if (!events.length) return;
    await tx.query(
      `insert into agent_event (id, agent_id, occurred_at, name, detail, actor)
       select e.id, e."agentUuid", e."occurredAt", e.name, e.detail, e.actor
         from jsonb_to_recordset($1::jsonb)
           as e(id uuid, "agentUuid" uuid, "occurredAt" timestamptz, name text, detail jsonb, actor jsonb)
           on conflict (id) do nothing`,
      [JSON.stringify(events)],
    );
  }

  /** One agent's story, newest first. */
  page(agent: string, { limit, after }: PageRequest): Promise<AgentEvent[]> {
    const query = this.database
      .getRepository(AgentEvent)
      .createQueryBuilder('event')
      .where('event.agent_id = :agent', { agent })
      .orderBy('event.occurredAt', 'DESC')
      .addOrderBy('event.id', 'DESC')
      .limit(limit + 1);
    if (after) {
      const [atMs, id] = after as [number, string];
      query.andWhere('(event.occurred_at, event.id) < (:at::timestamptz, :id::uuid)', { at: new Date(atMs), id });
    }
    return query.getMany();
  }

  count(agent: string): Promise<number> {
    return this.database.getRepository(AgentEvent).countBy({ agentUuid: agent });
  }

  /** Forgets lines from before a time, the oldest first. @returns how many went */
  async forgetOlder(before: Date, limit: number): Promise<number> {
    const [, count]: [unknown[], number] = await this.database.query(
      `delete from agent_event where ctid = any(array(
         select ctid from agent_event where occurred_at < $1 order by occurred_at limit $2 for update skip locked))`,
      [before, limit],
    );
    return count;
  }

  /** The next agents by their uuids, whatever became of them. */
  async agentsAfter(last: string | undefined, limit: number): Promise<string[]> {
    const rows: { id: string }[] = await this.database.query(
      'select id from agent where $1::uuid is null or id > $1::uuid order by id limit $2',
      [last ?? null, limit],
    );
    return rows.map(({ id }) => id);
  }

  /** Forgets the oldest lines of each of these agents beyond the newest `kept`. @returns how many went */
  async forgetBeyond(agents: readonly string[], kept: number, limit: number): Promise<number> {
    const [, count]: [unknown[], number] = await this.database.query(
      `delete from agent_event where ctid = any(array(
         select old.ctid from unnest($1::uuid[]) as a(id)
          cross join lateral (select ctid from agent_event e where e.agent_id = a.id
                               order by e.occurred_at desc, e.id desc offset $2) as old
          limit $3))`,
      [agents, kept, limit],
    );
    return count;
  }
}
