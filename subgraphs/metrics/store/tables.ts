import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';

/** What the house keeps in the telemetry store. Statements run once, in order; the list only grows. */
export const TABLES: readonly string[] = [
  `create table if not exists metric_series (
  id          UInt64,
  metric      String,
  labels      Map(LowCardinality(String), String),
  type        LowCardinality(String),
  temporality LowCardinality(String),
  unit        LowCardinality(String),
  help        String,
  seen        DateTime('UTC')
) engine = ReplacingMergeTree(seen) order by (metric, id)
settings fsync_after_insert = 1, fsync_part_directory = 1`,

  // Same series, same time: one sample, however often it is sent. Partitions are by arrival, so that a sample of long ago is
  // kept as long as any other, and an insert touches one partition whatever times it holds.
  `create table if not exists metric_sample (
  series   UInt64,
  time     DateTime64(3, 'UTC') codec(DoubleDelta, ZSTD),
  value    Float64 codec(Gorilla, ZSTD),
  received DateTime('UTC') default now() codec(ZSTD),
  batch    UInt64 codec(ZSTD),
  projection newest (select series, max(time) group by series)
) engine = ReplacingMergeTree order by (series, time) partition by toMonday(received)
settings fsync_after_insert = 1, fsync_part_directory = 1, deduplicate_merge_projection_mode = 'rebuild',
  non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1`,

  `create table if not exists span (
  trace_id       String codec(ZSTD),
  span_id        String codec(ZSTD),
  parent_span_id String codec(ZSTD),
  name           LowCardinality(String),
  service        LowCardinality(String),
  kind           LowCardinality(String),
  agent_id       LowCardinality(String),
  start          DateTime64(9, 'UTC') codec(Delta, ZSTD),
  finish         DateTime64(9, 'UTC') codec(Delta, ZSTD),
  error          Bool,
  status         String codec(ZSTD),
  attributes     Map(LowCardinality(String), String) codec(ZSTD),
  document       String codec(ZSTD),
  events         String codec(ZSTD),
  model          LowCardinality(String),
  input_tokens   UInt64,
  output_tokens  UInt64,
  received       DateTime('UTC') default now() codec(ZSTD),
  index by_trace trace_id type bloom_filter(0.001) granularity 1
) engine = ReplacingMergeTree order by (toStartOfHour(start), trace_id, span_id) partition by toMonday(received)
settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1`,
];

/** When a row of each table was last of use. */
const AGE: Record<string, string> = { metric_series: 'seen', metric_sample: 'received', span: 'received' };

/** Brings the tables up to date, and what they keep to so many days. */
export async function prepareTables(store: TelemetryStore, keepDays: number): Promise<void> {
  await store.migrate('metrics', TABLES);
  const days = `toIntervalDay(${Math.floor(keepDays)})`;
  const tables = await store.query<{ name: string; definition: string }>(
    'select name, create_table_query as definition from system.tables where database = currentDatabase() and name in {names:Array(String)}',
    { names: Object.keys(AGE) },
  );
  for (const { name, definition } of tables) {
    if (definition.includes(days)) continue;
    // What is there already is dropped part by part as it ages; nothing is rewritten for it now.
    await store.command(
      `alter table ${name} modify ttl ${AGE[name]} + ${days} settings materialize_ttl_after_modify = 0`,
    );
  }
}
