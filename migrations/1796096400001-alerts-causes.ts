import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit entry of an alert's firing: the cause of its escalation and of its end. */
export class AlertsCauses1796096400001 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table alert add column fired_entry uuid');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table alert drop column fired_entry');
  }
}
