import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What witnesses say of this log, and what this instance says as the witness of others. */
export class AuditWitnesses1796097600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table cosignature (
        origin      text not null,
        witness     text not null,
        size        bigint not null,
        signed_note text not null,
        line        text not null,
        cosigned_at timestamptz not null,
        primary key (origin, witness)
      )`);
    await run.query(`
      create table witness_key (
        one         boolean primary key default true check (one),
        name        text not null,
        private_key bytea not null,
        created_at  timestamptz not null
      )`);
    await run.query(`
      create table witnessed_log (
        origin      text primary key,
        signed_note text not null,
        cosigned_at timestamptz not null
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table cosignature, witness_key, witnessed_log');
  }
}
