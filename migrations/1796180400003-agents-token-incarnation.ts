import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which process of its agent a token was given to: mail is the newest one's. */
export class AgentsTokenIncarnation1796180400003 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table agent_token add column incarnation int');
    await run.query('update agent_token t set incarnation = a.incarnation from agent a where a.id = t.agent_id');
    await run.query('alter table agent_token alter column incarnation set not null');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table agent_token drop column incarnation');
  }
}
