import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS: readonly string[] = [
  `create table agent_past (
     agent_id    uuid not null,
     occurred_at timestamptz not null,
     seq         bigint not null,
     node        jsonb not null,
     primary key (agent_id, occurred_at, seq)
   )`,
  'create index agent_past_age on agent_past (occurred_at)',
  // Events are kept for days, the past of an agent for months: what streams tell of agents is what they were.
  `insert into agent_past (agent_id, occurred_at, seq, node)
     select entity_id::uuid, occurred_at, seq, node from event where type = 'Agent'`,
  `create function remember_agent() returns trigger language plpgsql as $$ begin
     insert into agent_past (agent_id, occurred_at, seq, node) values (new.entity_id::uuid, new.occurred_at, new.seq, new.node);
     return null;
   end $$`,
  `create trigger remember_agent after insert on event for each row when (new.type = 'Agent') execute function remember_agent()`,
];

/** Every agent as it was after each of its changes, written by the same statement that writes the change's event. */
export class AgentsPast1796180400002 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop trigger remember_agent on event');
    await run.query('drop function remember_agent');
    await run.query('drop table agent_past');
  }
}
