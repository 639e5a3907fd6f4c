import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each bridge has given out the changes of groups of errors. */
export class LogsErrorBridges1796095200000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table error_bridge (
        name     text primary key,
        epoch    text not null,
        position bigint not null check (position >= 0)
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table error_bridge');
  }
}
