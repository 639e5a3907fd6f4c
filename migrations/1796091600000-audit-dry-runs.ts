import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dry runs are told by a mark of their own: a reason is anybody's words. */
export class AuditDryRuns1796091600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('alter table entry add column is_dry_run boolean not null default false');
    // So they were told until now, where no reason was given.
    await run.query(`update entry set is_dry_run = true where reason = 'dry run' and action like 'apply%'`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table entry drop column is_dry_run');
  }
}
