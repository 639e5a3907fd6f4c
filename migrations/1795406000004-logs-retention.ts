import type { MigrationInterface, QueryRunner } from 'typeorm';
import { WRITE_TABLES } from '../lib/write/tables.ts';

/** How long logs are kept. The logs themselves are in ClickHouse. */
export class LogsRetention1795406000004 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of WRITE_TABLES) await run.query(statement);
    await run.query(`
      create table retention_policy (
        name        text primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
        version     int not null check (version >= 1),
        match       jsonb not null,
        keep_for_ms bigint not null check (keep_for_ms >= 60000),
        max_bytes   bigint check (max_bytes > 0),
        hold        boolean not null
      )`);
    // The highest stamp that retention removed: a tail cannot be resumed from below it.
    await run.query(`
      create table retention_state (
        one         boolean primary key default true check (one),
        swept_stamp bigint not null default 0
      )`);
    await run.query('insert into retention_state default values');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table retention_state, retention_policy, idempotency, audit_outbox, stream, event');
  }
}
