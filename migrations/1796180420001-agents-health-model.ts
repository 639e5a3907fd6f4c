import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Versions of how health is computed, and a day of minutes that another version can be tried on. */
export class AgentsHealthModel1796180420001 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table health_model (
        version    int primary key check (version > 0),
        weights    jsonb not null,
        applied_at timestamptz not null
      )`);
    await run.query(`
      create table health_minute (
        agent_id uuid not null references agent (id),
        at       timestamptz not null,
        facts    jsonb not null,
        score    int not null,
        grade    text not null,
        primary key (agent_id, at)
      )`);
    await run.query('create index health_minute_by_time on health_minute (at)');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table health_minute');
    await run.query('drop table health_model');
  }
}
