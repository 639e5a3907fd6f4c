import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Searches that were given a name, and what is counted of the log. */
export class LogsSearchesMetrics1796091600002 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`
      create table saved_log_search (
        name        text primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
        version     int not null check (version >= 1),
        query       text not null check (length(query) between 1 and 2000),
        description text not null check (length(description) <= 2000),
        owner       jsonb not null
      )`);
    await run.query(`
      create table log_metric (
        name        text primary key check (name ~ '^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$'),
        version     int not null check (version >= 1),
        description text not null check (length(description) <= 2000),
        kind        text not null check (kind in ('COUNTER', 'GAUGE', 'HISTOGRAM')),
        filter      jsonb not null,
        value       text,
        "by"        jsonb not null,
        buckets     jsonb not null,
        max_series  int not null check (max_series between 1 and 1000)
      )`);
    // Everything up to the stamp 'counted' is in the values below, and nothing beyond it.
    await run.query(`
      create table log_metric_state (
        name         text primary key references log_metric on delete cascade,
        version      int not null,
        counted      bigint not null,
        sampled_at   bigint not null,
        previous_at  bigint not null,
        whole_at     bigint not null,
        is_delivered boolean not null default true
      )`);
    await run.query(`
      create table log_metric_series (
        name       text not null references log_metric on delete cascade,
        key        text not null,
        value      jsonb not null,
        born_at    bigint not null,
        sampled_at bigint not null
      )`);
    // A key may be longer than an index takes.
    await run.query('create unique index log_metric_series_key on log_metric_series (name, md5(key))');
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('drop table log_metric_series, log_metric_state, log_metric, saved_log_search');
  }
}
