import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Profiles of agents: asked for, made by the agent, kept for a while. */
export class AgentsProfiles1796240000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table profile (
        id          uuid primary key,
        agent_id    uuid not null references agent (id),
        command_id  uuid not null,
        kind        text not null check (kind in ('CPU', 'HEAP')),
        seconds     int not null check (seconds between 1 and 60),
        asked_at    timestamptz not null,
        asked_by    jsonb not null,
        expires_at  timestamptz not null,
        finished_at timestamptz,
        failure     text,
        samples     int,
        total       double precision,
        top         jsonb,
        content     bytea,
        check (finished_at is not null or (failure is null and content is null)),
        check (content is null or octet_length(content) <= 4194304)
      )`);
    // It is packed already.
    await run.query('alter table profile alter column content set storage external');
    await run.query('create index profile_by_agent on profile (agent_id, asked_at desc)');
    await run.query('create index profile_by_time on profile (asked_at)');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table profile');
  }
}
