import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS: readonly string[] = [
  `create table job (
     id          uuid primary key,
     action      text not null
                 check (action in ('START', 'PAUSE', 'RESUME', 'RESTART', 'STOP', 'QUARANTINE', 'RELEASE', 'RETIRE')),
     filter      jsonb not null,
     reason      text,
     state       text not null check (state in ('QUEUED', 'RUNNING', 'FINISHED', 'CANCELLED')),
     total       int not null check (total >= 0),
     done        int not null default 0,
     refused     int not null default 0,
     created_at  timestamptz not null,
     created_by  jsonb not null,
     started_at  timestamptz,
     finished_at timestamptz,
     entry_id    uuid not null,
     stepped_at  timestamptz,
     check (done + refused <= total),
     check ((finished_at is not null) = (state in ('FINISHED', 'CANCELLED')))
   )`,
  // Whose turn it is: the one that waited longest.
  `create index job_open on job (stepped_at nulls first, id) where state in ('QUEUED', 'RUNNING')`,
  'create index job_newest on job (created_at desc, id desc)',
  // No foreign key to the agent: agents are never deleted, and its lock would be one more that transactions wait for.
  `create table job_target (
     job_id     uuid not null references job (id) on delete cascade,
     number     int not null,
     agent_id   uuid not null,
     state      text not null default 'WAITING' check (state in ('WAITING', 'DONE', 'REFUSED', 'SKIPPED')),
     reason     text,
     settled_at timestamptz,
     primary key (job_id, number),
     unique (job_id, agent_id),
     check ((settled_at is null) = (state = 'WAITING'))
   )`,
  `create index job_target_waiting on job_target (job_id, number) where state = 'WAITING'`,
];

/** Jobs: what is asked of many agents at once, and what became of each of them. */
export class AgentsJobs1796180400000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table job_target');
    await run.query('drop table job');
  }
}
