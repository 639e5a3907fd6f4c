import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What triggers run: where they find their tables must not depend on who wrote the row, and from which schema. */
const FUNCTIONS = ['keep_agent_config()', 'remember_agent()'];

/** Old lines of stories are found by their age; an operator may change rows from psql, whatever its search_path. */
export class AgentsStoryRetention1796241000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('create index agent_event_age on agent_event (occurred_at)');
    const [{ schema }] = await run.query('select quote_ident(current_schema()) as schema');
    for (const name of FUNCTIONS) await run.query(`alter function ${name} set search_path = ${schema}, pg_temp`);
  }

  async down(run: QueryRunner): Promise<void> {
    for (const name of FUNCTIONS) await run.query(`alter function ${name} reset search_path`);
    await run.query('drop index agent_event_age');
  }
}
