import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit entries of the last change of an agent and of its last move: causes of what the platform does by itself. */
export class AgentsCauses1796096400000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table agent add column changed_by uuid, add column moved_by uuid');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table agent drop column changed_by, drop column moved_by');
  }
}
