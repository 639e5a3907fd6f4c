import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which groups of errors are resolved. The errors themselves are in ClickHouse. */
export class LogsErrorResolutions1796067600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table error_resolution (
        id          uuid primary key,
        resolved_at timestamptz not null,
        resolved_by jsonb not null,
        in_version  text check (length(in_version) between 1 and 256)
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table error_resolution');
  }
}
