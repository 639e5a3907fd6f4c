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
}
