import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each sink was given the trail, and how far retention came. */
export class AuditProgress1796092800000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table progress (
        name     text primary key,
        position bigint not null default 0 check (position >= 0),
        -- End of the batch that is under way: begun anew it has the same bounds and the same id.
        up_to    bigint check (up_to > position)
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table progress');
  }
}
