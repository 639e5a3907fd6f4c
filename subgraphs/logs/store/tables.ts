/** Runs of letters and digits with their accents are words; all else parts them. RE2, as ClickHouse has it. */
export const NO_WORD = '[^\\p{L}\\p{N}\\p{M}]';

/**
 * The words of a body, as the index has them. An expression, not the index's own preprocessor: that one holds only where the
 * index answers alone, and beside an `or` or a read of the body the same condition would mean something else (measured, 26.7).
 */
export const WORDS_OF_BODY = `lowerUTF8(replaceRegexpAll(body, '${NO_WORD.replaceAll('\\', '\\\\')}+', ' '))`;

/**
 * What logs need in ClickHouse. Never edit a statement that has shipped: add another.
 *
 * A row's place is (time, stamp, seq): when it happened, when its group was stored (microseconds, above that of every earlier
 * group), its place in the group. Newest-first lists read the table from its end. A day of receipt is a partition, so that
 * retention drops whole days.
 */
export const LOG_TABLES: readonly string[] = [
  `create table if not exists log (
     time       UInt64 codec(Delta(8), ZSTD(1)),
     observed   UInt64 codec(Delta(8), ZSTD(1)),
     stamp      UInt64 codec(Delta(8), ZSTD(1)),
     seq        UInt32 codec(Delta(4), ZSTD(1)),
     batch      UInt64 codec(ZSTD(1)),
     severity   UInt8 codec(ZSTD(1)),
     service    LowCardinality(String),
     agent      LowCardinality(String),
     agent_name LowCardinality(String),
     trace      String codec(ZSTD(1)),
     span       String codec(ZSTD(1)),
     body       String codec(ZSTD(1)),
     attributes Map(LowCardinality(String), String) codec(ZSTD(1)),
     resource   LowCardinality(String),
     index words ${WORDS_OF_BODY} type text(tokenizer = 'splitByNonAlpha'),
     index traces trace type bloom_filter(0.01) granularity 4,
     index stamps stamp type minmax granularity 1,
     index observations observed type minmax granularity 1
   )
   engine = MergeTree
   partition by toYYYYMMDD(toDateTime(intDiv(stamp, 1000000), 'UTC'))
   order by (time, stamp, seq)
   settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000`,
];

/** Columns as an insert names them. */
export const LOG_COLUMNS =
  'log (time, observed, severity, service, agent, agent_name, trace, span, body, attributes, resource, stamp, seq, batch)';
