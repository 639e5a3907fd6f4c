import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The sweep that was told to the audit trail and is not done yet: a killed process's successor goes on with it. */
export class LogsSweepPlan1796091600001 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table retention_state add column plan jsonb, add column sweeps bigint not null default 0');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table retention_state drop column plan, drop column sweeps');
  }
}
