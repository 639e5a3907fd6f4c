import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the live groups of errors have been told, and what each was told to be. */
export class LogsErrorWatch1796094000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table error_watch (
        one   boolean primary key default true check (one),
        stamp bigint not null
      )`);
    await run.query(`
      create table error_told (
        id   uuid primary key,
        node jsonb not null
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    for (const table of ['error_told', 'error_watch']) await run.query(`drop table ${table}`);
  }
}
