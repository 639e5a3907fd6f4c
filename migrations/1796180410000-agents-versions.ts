import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Published versions of kinds of agents. */
export class AgentsVersions1796180410000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(
      `create table agent_version (
         id            uuid primary key,
         kind          text not null check (length(kind) between 1 and 64),
         version       text not null check (length(version) between 1 and 64),
         config_schema jsonb,
         defaults      jsonb not null,
         migrates_from text check (migrates_from <> version),
         operations    jsonb not null,
         notes         text,
         published_at  timestamptz not null,
         published_by  jsonb not null,
         unique (kind, version)
       )`,
    );
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table agent_version');
  }
}
