import type { MigrationInterface, QueryRunner } from 'typeorm';
import { WRITE_TABLES } from '../lib/write/tables.ts';

const STATES = `('REGISTERED', 'STARTING', 'RUNNING', 'PAUSED', 'STOPPING', 'STOPPED', 'FAILED', 'QUARANTINED', 'RETIRED')`;

const TABLES: readonly string[] = [
  `create table agent (
     id                      uuid primary key,
     name                    text not null check (length(name) between 1 and 128),
     kind                    text not null,
     words                   text not null,
     version                 text not null,
     state                   text not null check (state in ${STATES}),
     reported_state          text not null check (reported_state in ${STATES}),
     desired_state           text not null check (desired_state in ${STATES}),
     held_state              text check (held_state in ${STATES}),
     presence                text not null check (presence in ('ONLINE', 'SUSPECT', 'OFFLINE')),
     health_score            int not null check (health_score between 0 and 100),
     health_grade            text not null check (health_grade in ('HEALTHY', 'DEGRADED', 'CRITICAL', 'UNKNOWN')),
     health_penalties        jsonb not null,
     health_at               timestamptz not null,
     labels                  jsonb not null,
     endpoints               jsonb not null,
     capabilities            jsonb not null,
     config                  jsonb not null,
     config_version          int not null,
     observed_config_version int,
     registered_at           timestamptz not null,
     last_seen_at            timestamptz,
     lease_expires_at        timestamptz,
     restarts                int not null default 0,
     restarted_at_ms         jsonb not null default '[]',
     recovered_at_ms         jsonb not null default '[]',
     owner_id                text not null,
     incarnation             int not null default 1,
     beat_sequence           bigint not null default -1,
     command_count           int not null default 0,
     revision                int not null default 1,
     deregistered_at         timestamptz
   ) with (fillfactor = 70)`,
  // A life that is over gives its name back.
  `create unique index agent_name on agent (name) where deregistered_at is null and desired_state <> 'RETIRED'`,
  'create index agent_by_name on agent (name, id) where deregistered_at is null',
  'create index agent_by_kind on agent (kind, id) where deregistered_at is null',
  `create table command (
     id           uuid primary key,
     agent_id     uuid not null references agent (id),
     number       int not null,
     name         text not null,
     arguments    jsonb not null,
     fence        text not null,
     issued_at    timestamptz not null,
     issued_by    jsonb not null,
     expires_at   timestamptz,
     completed_at timestamptz,
     outcome      text check (outcome in ('DONE', 'FAILED', 'REFUSED', 'EXPIRED')),
     result       jsonb,
     check ((completed_at is null) = (outcome is null)),
     unique (agent_id, number)
   )`,
  'create index command_pending on command (agent_id, number) where completed_at is null',
  'create index command_expiry on command (expires_at) where completed_at is null and expires_at is not null',
  `create table agent_event (
     id          uuid primary key,
     agent_id    uuid not null references agent (id),
     occurred_at timestamptz not null,
     name        text not null,
     detail      jsonb not null,
     actor       jsonb not null
   )`,
  'create index agent_event_by_agent on agent_event (agent_id, occurred_at desc, id desc)',
  `create table api_key (
     id                  uuid primary key,
     name                text not null,
     scopes              jsonb not null,
     hash                bytea not null check (length(hash) = 32),
     requests_per_second double precision check (requests_per_second > 0),
     created_at          timestamptz not null,
     expires_at          timestamptz,
     last_used_at        timestamptz,
     revoked_at          timestamptz,
     created_by          jsonb not null
   )`,
  `create table agent_token (
     id           uuid primary key,
     agent_id     uuid not null references agent (id),
     hash         bytea not null check (length(hash) = 32),
     created_at   timestamptz not null,
     last_used_at timestamptz,
     revoked_at   timestamptz
   )`,
  'create index agent_token_by_agent on agent_token (agent_id) where revoked_at is null',
];

/** Agents with their mail, their story and their credentials. */
export class AgentsRegistry1795405937193 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of [...WRITE_TABLES, ...TABLES]) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    const tables = ['agent_token', 'api_key', 'agent_event', 'command', 'agent'];
    for (const table of [...tables, 'event', 'stream', 'audit_outbox', 'idempotency']) {
      await run.query(`drop table ${table}`);
    }
  }
}
