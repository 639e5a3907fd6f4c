import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { HealthGrade } from '../entity/enums.ts';
import { HealthModel } from '../entity/health-model.ts';

/** How an agent was in one minute: what a score is made of, and what it was. */
export interface HealthMinute {
  agent: string;
  atMs: number;
  /** JSON of the facts. */
  facts: unknown;
  score: number;
  grade: HealthGrade;
}

/** SQL of how health is computed, and of how it was. */
export class HealthStore {
  constructor(private readonly database: DataSource) {}

  /** The model that holds; null when none was ever applied. */
  model(): Promise<HealthModel | null> {
    return this.#modelIn(this.database.manager);
  }

  async #modelIn(tx: Transaction): Promise<HealthModel | null> {
    const [last] = await tx.getRepository(HealthModel).find({ order: { version: 'DESC' }, take: 1 });
    return last ?? null;
  }

  /** Locks the model for a change, also when there is none. */
  async lockModel(tx: Transaction): Promise<HealthModel | null> {
    await tx.query(`select pg_advisory_xact_lock(hashtext('health_model'))`);
    return await this.#modelIn(tx);
  }

  /** Adds a version; earlier ones stay. */
  async addModel(tx: Transaction, model: HealthModel): Promise<void> {
    await tx.getRepository(HealthModel).insert(model);
  }

  async addMinutes(minutes: readonly HealthMinute[]): Promise<void> {
    await this.database.query(
      `insert into health_minute (agent_id, at, facts, score, grade)
       select m.agent, to_timestamp(m."atMs" / 1000), m.facts, m.score, m.grade
         from jsonb_to_recordset($1::jsonb)
           as m(agent uuid, "atMs" double precision, facts jsonb, score int, grade text)
           join agent on agent.id = m.agent
       on conflict (agent_id, at) do nothing`,
      [JSON.stringify(minutes)],
    );
  }

  /** Minutes from one time up to another, the latest first. */
  minutes(from: Date, to: Date, limit: number): Promise<HealthMinute[]> {
    return this.database.query(
      `select agent_id as agent, (extract(epoch from at) * 1000)::double precision as "atMs", facts, score, grade
         from health_minute where at >= $1 and at < $2 order by at desc limit $3`,
      [from, to, limit],
    );
  }

  async forgetMinutes(before: Date): Promise<void> {
    await this.database.query('delete from health_minute where at < $1', [before]);
  }
}
