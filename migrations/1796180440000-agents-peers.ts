import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Processes of this house that serve now. */
export class AgentsPeers1796180440000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query('create table agent_peer (id uuid primary key, seen_at timestamptz not null)');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table agent_peer');
  }
}
