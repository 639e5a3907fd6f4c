/** Runs of letters and digits with their accents are words; all else parts them. RE2, as ClickHouse has it. */
export const NO_WORD = '[^\\p{L}\\p{N}\\p{M}]';

/** How the first index of words had them. */
const FIRST_WORDS = `lowerUTF8(replaceRegexpAll(body, '${NO_WORD.replaceAll('\\', '\\\\')}+', ' '))`;

/**
 * The words of a body, as the index has them. An expression, not the index's own preprocessor: that one holds only where the
 * index answers alone, and beside an `or` or a read of the body the same condition would mean something else (measured, 26.7).
 * In ASCII the index's tokens are the words already: so most bodies are spared a regular expression, at each insert and merge.
 */
export const WORDS_OF_BODY = `if(isValidASCII(body), lower(body), ${FIRST_WORDS})`;

/**
 * What stands for a name of an attribute, and for a name with its value, in the index of attributes: 64 bits of a hash, however
 * long they are. As digits, because without the index (a part that has it not yet) the engine would part a token at
 * anything else.
 */
export const nameToken = (name: string) => `hex(sipHash64(${name}))`;
export const pairToken = (name: string, json: string) => `hex(sipHash64(${name}, ${json}))`;

const tokensBy = (name: (k: string) => string, pair: (k: string, v: string) => string) =>
  `arrayConcat(arrayMap(k -> ${name('k')}, mapKeys(attributes)), arrayMap((k, v) -> ${pair('k', 'v')}, mapKeys(attributes), mapValues(attributes)))`;

/** All of an entry's, as the index has them. */
export const TOKENS_OF_ATTRIBUTES = tokensBy(nameToken, pairToken);

/** How the first index of attributes had them: too short to be believed. */
const FIRST_TOKENS = tokensBy(
  (k) => `hex(toUInt32(cityHash64(${k})))`,
  (k, v) => `hex(toUInt32(cityHash64(${k}, ${v})))`,
);

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
     index words ${FIRST_WORDS} type text(tokenizer = 'splitByNonAlpha'),
     index traces trace type bloom_filter(0.01) granularity 4,
     index stamps stamp type minmax granularity 1,
     index observations observed type minmax granularity 1
   )
   engine = MergeTree
   partition by toYYYYMMDD(toDateTime(intDiv(stamp, 1000000), 'UTC'))
   order by (time, stamp, seq)
   settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000`,
  // Under another name than the first: a part never has an index of the one that was made for the other.
  `alter table log add index if not exists terms ${WORDS_OF_BODY}
     type text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking')`,
  `alter table log add index if not exists attributed ${FIRST_TOKENS}
     type text(tokenizer = 'array', posting_list_codec = 'bitpacking')`,
  'alter table log modify column agent codec(ZSTD(1)), modify column agent_name codec(ZSTD(1))',
  'alter table log drop index if exists words',
  // In the background, part by part; what has them not yet is read without.
  'alter table log materialize index terms, materialize index attributed',
  'alter table log drop index if exists attributed',
  `alter table log add index if not exists named ${TOKENS_OF_ATTRIBUTES}
     type text(tokenizer = 'array', posting_list_codec = 'bitpacking')`,
  `alter table log modify column attributes codec(ZSTD(3)), modify column trace codec(ZSTD(3)),
     modify column span codec(ZSTD(3))`,
  // More parts of a size are merged at once, so each row less often: a third less work (measured), and a few parts more.
  'alter table log modify setting merge_selector_base = 10',
  'alter table log materialize index named',
];

/** Columns as an insert names them. */
export const LOG_COLUMNS =
  'log (time, observed, severity, service, agent, agent_name, trace, span, body, attributes, resource, stamp, seq, batch)';
