import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** Which stretch of a rollout a reading is of. */
export type Period = 'before' | 'upgraded' | `waiting-${number}`;

/** Sums of one agent in one stretch, by the names of the columns' fields. */
export interface ReadingRow extends Record<string, unknown> {
  rollout: string;
  agent: string;
  period: Period;
}

/** An agent whose beats are evidence now. */
export interface Measured {
  rollout: string;
  agent: string;
  period: Period;
  /** Since when, epoch milliseconds. */
  sinceMs: number;
  warmUpMs: number;
}

const column = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** What was read of the agents of rollouts, in PostgreSQL: sums that any process adds to. */
export class ReadingStore {
  constructor(
    private readonly database: DataSource,
    /** Names of the sums. */
    private readonly fields: readonly string[],
  ) {}

  /** Whose beats are evidence now, and of what. */
  measured(): Promise<Measured[]> {
    return this.database.query(
      `select * from (
         select r.id as rollout, m.agent_id as agent,
                case when m.phase in ('READY', 'LOST') then 'upgraded'
                     when m.phase <> 'WAITING' then null
                     when r.life ->> 'state' = 'BASELINE' then 'before'
                     else 'waiting-' || (r.life ->> 'stage') end as period,
                coalesce((extract(epoch from m.ready_at) * 1000)::float8, (r.life ->> 'measuredMs')::float8) as "sinceMs",
                (r.plan ->> 'warmUpMs')::float8 as "warmUpMs"
           from rollout r join rollout_member m on m.rollout_id = r.id
          where r.ended_at is null and m.is_measured
            and r.life ->> 'state' in ('BASELINE', 'CANARY', 'WAVE', 'PAUSED')) found
        where period is not null and "sinceMs" is not null`,
    );
  }

  /** Adds to the sums, in one statement. */
  async add(rows: readonly ReadingRow[]): Promise<void> {
    const columns = this.fields.map(column);
    await this.database.query(
      `insert into rollout_reading as r (rollout_id, agent_id, period, ${columns.join(', ')})
       select n.rollout, n.agent, n.period, ${this.fields.map((field) => `n."${field}"`).join(', ')}
         from jsonb_to_recordset($1::jsonb) as n(rollout uuid, agent uuid, period text,
              ${this.fields.map((field) => `"${field}" float8`).join(', ')})
        order by n.rollout, n.agent, n.period
       on conflict (rollout_id, agent_id, period) do update
         set ${columns.map((name) => `${name} = r.${name} + excluded.${name}`).join(', ')}`,
      [JSON.stringify(rows)],
    );
  }

  of(tx: Transaction, rollout: string): Promise<ReadingRow[]> {
    const sums = this.fields.map((field) => `${column(field)} as "${field}"`);
    return tx.query(
      `select rollout_id as rollout, agent_id as agent, period, ${sums.join(', ')} from rollout_reading where rollout_id = $1`,
      [rollout],
    );
  }

  /** What ended rollouts were decided by is told in their findings: the sums can go. */
  async sweep(): Promise<void> {
    await this.database.query(
      `delete from rollout_reading using rollout
        where rollout.id = rollout_id and rollout.ended_at < now() - interval '1 day'`,
    );
  }
}
