import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an agent says of itself and since when, beside what it is taken for: one that says STARTING for too long has failed. */
export class AgentsSaid1796180400001 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table agent add column said_state text, add column said_since timestamptz');
    await run.query('update agent set said_state = reported_state, said_since = now()');
    await run.query('alter table agent alter column said_state set not null, alter column said_since set not null');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table agent drop column said_state, drop column said_since');
  }
}
