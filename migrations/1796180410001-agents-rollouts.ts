import type { MigrationInterface, QueryRunner } from 'typeorm';

const COUNTS = [
  ...['beats', 'requests', 'errors', 'latencies', 'latency_sum', 'latency_squares', 'health_sum', 'health_squares'],
  ...['memories', 'minute_sum', 'minute_squares', 'memory_sum', 'memory_squares', 'memory_by_minute'],
].map((column) => `${column} double precision not null default 0`);

const STATEMENTS: readonly string[] = [
  // What the platform wants of an agent's program; what it shall be configured by from then on.
  `alter table agent
     add column desired_version text,
     add column next_config jsonb,
     add column drifting_at timestamptz,
     add column drift_told_at timestamptz`,
  'create index agent_drifting on agent (drifting_at) where drifting_at is not null and deregistered_at is null',
  `create table rollout (
     id         uuid primary key,
     kind       text not null,
     version    text not null,
     labels     jsonb not null,
     plan       jsonb not null,
     life       jsonb not null,
     state      text not null check (state in ('SCHEDULED', 'BASELINE', 'CANARY', 'WAVE', 'PAUSED', 'REVERTING', 'REVERTED',
                                               'ABORTED', 'SUCCEEDED')),
     stages     jsonb not null,
     findings   jsonb not null,
     note       text,
     started_at timestamptz not null,
     started_by jsonb not null,
     ended_at   timestamptz,
     changed_by uuid not null
   )`,
  // One at a time for a kind: two would compare with each other's agents.
  `create unique index rollout_active on rollout (kind) where ended_at is null`,
  'create index rollout_newest on rollout (started_at desc, id desc)',
  `create table rollout_member (
     rollout_id   uuid not null references rollout (id),
     agent_id     uuid not null references agent (id),
     stage        int not null check (stage >= 0),
     phase        text not null check (phase in ('WAITING', 'SENT', 'READY', 'LOST', 'BACK_SENT', 'BACK', 'GONE')),
     from_version text not null,
     from_config  jsonb not null,
     is_measured  boolean not null,
     -- Of the agent when its stretch began; of the stretches before.
     restarts     int not null,
     old_restarts int not null default 0,
     sent_at      timestamptz,
     ready_at     timestamptz,
     lost_at      timestamptz,
     problem      text,
     primary key (rollout_id, agent_id)
   ) with (fillfactor = 80)`,
  'create index rollout_member_agent on rollout_member (agent_id)',
  `create table rollout_reading (
     rollout_id uuid not null references rollout (id),
     agent_id   uuid not null references agent (id),
     period     text not null check (period ~ '^(before|upgraded|waiting-[0-9]+)$'),
     ${COUNTS.join(', ')},
     primary key (rollout_id, agent_id, period)
   ) with (fillfactor = 70)`,
];

/** Rollouts of versions: their agents, what was read of them, and what agents should run. */
export class AgentsRollouts1796180410001 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    for (const table of ['rollout_reading', 'rollout_member', 'rollout']) await run.query(`drop table ${table}`);
    await run.query(
      'alter table agent drop column desired_version, drop column next_config, drop column drifting_at, drop column drift_told_at',
    );
  }
}
