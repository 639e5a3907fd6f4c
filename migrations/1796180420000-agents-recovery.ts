import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP: readonly string[] = [
  `create table recovery_policy (
     name           text primary key check (length(name) between 1 and 256),
     version        int not null check (version > 0),
     mode           text not null check (mode in ('ACT', 'OBSERVE', 'OFF')),
     priority       int not null,
     kinds          jsonb not null,
     labels         jsonb not null,
     steps          jsonb not null,
     critical_beats int not null check (critical_beats > 0),
     degraded_beats int not null check (degraded_beats > 0),
     window_ms      int not null check (window_ms > 0),
     rest_ms        int not null check (rest_ms >= 0),
     max_rest_ms    int not null check (max_rest_ms >= rest_ms),
     jitter         double precision not null check (jitter between 0 and 1),
     cool_down_ms   int not null check (cool_down_ms >= 0),
     max_share      double precision not null check (max_share > 0 and max_share <= 1)
   )`,
  `alter table agent add column dependencies jsonb not null default '[]', add column recoveries jsonb not null default '[]'`,
  `update agent set recoveries = (
     select coalesce(jsonb_agg(jsonb_build_object('step', 'RESTART', 'atMs', at_ms)), '[]')
       from jsonb_array_elements(recovered_at_ms) at_ms)`,
  'alter table agent drop column recovered_at_ms',
  // Every road that changes a configuration goes through the agent's row: the table keeps its history, whoever writes.
  `create table agent_config (
     agent_id  uuid not null references agent (id),
     version   int not null,
     config    jsonb not null,
     set_at    timestamptz not null,
     proven_at timestamptz,
     primary key (agent_id, version)
   )`,
  `insert into agent_config (agent_id, version, config, set_at)
     select id, config_version, config, now() from agent`,
  `create function keep_agent_config() returns trigger language plpgsql as $$
   begin
     insert into agent_config (agent_id, version, config, set_at)
       values (new.id, new.config_version, new.config, clock_timestamp())
       on conflict (agent_id, version) do nothing;
     delete from agent_config past
      where past.agent_id = new.id and past.version <= new.config_version - 20
        and past.version < (select coalesce(max(version), 0) from agent_config
                            where agent_id = new.id and proven_at is not null);
     return null;
   end $$`,
  'create trigger agent_config_made after insert on agent for each row execute function keep_agent_config()',
  `create trigger agent_config_changed after update of config_version on agent for each row
     when (old.config_version is distinct from new.config_version) execute function keep_agent_config()`,
  `create table page (
     id         uuid primary key,
     agent_id   uuid not null references agent (id),
     reason     text not null,
     created_at timestamptz not null
   )`,
];

const DOWN: readonly string[] = [
  'drop table page',
  'drop trigger agent_config_changed on agent',
  'drop trigger agent_config_made on agent',
  'drop function keep_agent_config()',
  'drop table agent_config',
  `alter table agent add column recovered_at_ms jsonb not null default '[]', drop column recoveries, drop column dependencies`,
  'drop table recovery_policy',
];

/** Recovery policies, what was tried on each agent, the configurations it had, and pages that wait to be told. */
export class AgentsRecovery1796180420000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of UP) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    for (const statement of DOWN) await run.query(statement);
  }
}
