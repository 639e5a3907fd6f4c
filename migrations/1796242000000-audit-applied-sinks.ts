import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sinks and retention of the trail that were applied, and who is giving a sink its batch. */
export class AuditAppliedSinks1796242000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table sink (
        name          text primary key,
        version       int not null check (version >= 1),
        target        text not null,
        format        text not null check (format in ('NDJSON', 'OCSF')),
        sealed_secret bytea
      )`);
    await run.query(`
      create table trail_retention (
        one         boolean primary key default true check (one),
        version     int not null check (version >= 1),
        -- Null: for good.
        keep_for_ms bigint check (keep_for_ms > 0)
      )`);
    await run.query('alter table progress add column holder text, add column held_until timestamptz');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table progress drop column holder, drop column held_until');
    await run.query('drop table trail_retention');
    await run.query('drop table sink');
  }
}
