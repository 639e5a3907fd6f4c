/**
 * What makes two errors the same: their code, the place in the program, and what they say without its particulars. Said in SQL
 * alone, as the store computes it for each row: there is no second reading of these rules to disagree with.
 */

/** OpenTelemetry's number of the least ERROR. */
export const LEAST_ERROR = 17;

const CODES = ['error.code', 'errorCode', 'fleet.code', 'exception.code', 'exception.type', 'errorType', 'error.type'];
const STACKS = ['exception.stacktrace', 'error.stack', 'stack'];
const MESSAGES = ['exception.message', 'error.message', 'error'];
const LOGGERS = ['logger', 'logger.name', 'log.logger'];
/** Characters of a message and of a stack that are looked at. */
const MESSAGE_LENGTH = 2_000;
const STACK_LENGTH = 20_000;
const TEMPLATE_LENGTH = 400;

const IPV4 = '\\b\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d+)?\\b';
const HEX4 = '[0-9a-fA-F]{1,4}';
/** Whole, or with `::` in it; also in brackets with a port. */
const IPV6 = `\\[?(?:\\b(?:${HEX4}:){3,7}${HEX4}|(?:\\b${HEX4}(?::${HEX4})*)?::${HEX4}(?::${HEX4})*)\\b(?:\\](?::\\d+)?)?`;

/**
 * What stands for the particulars of a message, in this order. RE2. Numbers and ids have one mark between them: of random digits
 * some are a number by chance.
 */
const PARTICULARS: readonly (readonly [pattern: string, mark: string])[] = [
  // The keys of a JSON text are no particulars.
  ['"([A-Za-z_][\\w.-]*)"\\s*:', '\\1:'],
  ['"(?:[^"\\\\]|\\\\.)*"|`[^`]*`|“[^”]*”|„[^“”]*[“”]|‘[^’]*’|«[^»]*»', '<text>'],
  ["(^|[^\\w])'[^'\\n]*'", '\\1<text>'],
  ['[A-Za-z][A-Za-z0-9+.-]*://[^\\s<>"\'`)\\]}]+', '<url>'],
  ['[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+', '<email>'],
  ['\\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\\b', '<uuid>'],
  ['\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?', '<time>'],
  [`${IPV4}|${IPV6}|\\b0[xX][0-9a-fA-F]+\\b`, '<address>'],
  ['\\b\\w*\\d[A-Za-z]+\\d\\w*\\b|\\b[0-9a-fA-F]{8,}\\b|\\d+(?:[.,:]\\d+)*', '<n>'],
  ['(<[a-z]+>)(?:,\\s*<[a-z]+>)+', '\\1'],
  ['\\s+', ' '],
];

/** Frames of what a program only uses, not is. */
const FOREIGN =
  'node_modules|node:|\\(native\\)|\\(<anonymous>\\)|site-packages|dist-packages|/lib/python|at (?:java|javax|jdk|sun)\\.';

/** A text as ClickHouse reads it. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name for what is used more than once: the store analyses the rules at each insert, and what is written twice twice. */
function named(name: string, value: string, use: string): string {
  return `arrayMap(${name} -> ${use}, [${value}])[1]`;
}

/** The first of these attributes that says something, as plain text, else empty: values are kept as JSON. */
function firstOf(names: readonly string[]): string {
  const raw = `arrayFirst(raw -> raw not in ('', 'null', '""'), arrayMap(name -> attributes[name], [${names.map(quoted).join(', ')}]))`;
  return named('raw', raw, `if(startsWith(raw, '"'), JSONExtractString(raw), raw)`);
}

function replaced(text: string, pattern: string, by: string): string {
  return `replaceRegexpAll(${text}, ${quoted(pattern)}, ${quoted(by)})`;
}

/** The first frame that is the program's own, else the first; Python writes the last call first. */
function frameOf(stack: string): string {
  const frames = `extractAll(stack, ${quoted('(?m)^[ \\t]*at [^\\n]+')})`;
  const python = `arrayReverse(extractAll(stack, ${quoted('File "[^"\\n]+", line \\d+, in [^\\n]+')}))`;
  const first = `arrayConcat(arrayFilter(frame -> not match(frame, ${quoted(FOREIGN)}), frames), frames)[1]`;
  return named('stack', stack, named('frames', `arrayConcat(${frames}, ${python})`, first));
}

/** A frame without folders, lines and columns, which differ from machine to machine and version to version. */
function withoutLines(frame: string): string {
  const folders = replaced(frame, '^\\s*at (?:async )?|(?:[A-Za-z]+://)?[^\\s()"]*[/\\\\]', '');
  return replaced(folders, ', line \\d+|(?::\\d+)+', '');
}

/**
 * A number of an error's columns, 0 for other rows. Over lists that are empty for those: `if` alone computes both its sides for all
 * rows (measured, 26.7: 5 µs a row against 0.3).
 */
function forErrors(number: string): string {
  const columns = ['body', 'attributes', 'service'];
  const lists = columns.map((column) => `if(severity >= ${LEAST_ERROR}, [${column}], [])`);
  return `arrayMap((${columns.join(', ')}) -> ${number}, ${lists.join(', ')})[1]`;
}

const message = named('said', firstOf(MESSAGES), `if(position(body, said) > 0, body, concat(body, ': ', said))`);
const frame = frameOf(`substringUTF8(${firstOf(STACKS)}, 1, ${STACK_LENGTH})`);

/** The error's code or type; empty when it has none. */
export const ERROR_CODE = firstOf(CODES);

/** Where it was thrown; the logger or service where no stack tells. */
export const ERROR_PLACE = `arrayFirst(place -> place != '', [${withoutLines(frame)}, ${firstOf(LOGGERS)}, toString(service)])`;

/** What it says, without its particulars. */
export const ERROR_TEMPLATE = `substringUTF8(trimBoth(${PARTICULARS.reduce(
  (text, [pattern, mark]) => replaced(text, pattern, mark),
  `substringUTF8(${message}, 1, ${MESSAGE_LENGTH})`,
)}), 1, ${TEMPLATE_LENGTH})`;

/** The version of the program that wrote a row; empty when it does not say. */
export const ROW_VERSION = `coalesce(nullIf(JSONExtractString(toString(resource), 'service.version'), ''), JSONExtractString(attributes['service.version']))`;

/**
 * What errors need in ClickHouse beside the log itself. Never edit a statement that has shipped, nor the rules above: rows that
 * are stored keep the group they got. Other rules are another column.
 */
export const ERROR_TABLES: readonly string[] = [
  `alter table log add column if not exists error_group UInt64
     materialized ${forErrors(`sipHash64(concat(${ERROR_CODE}, '\\n', ${ERROR_PLACE}, '\\n', ${ERROR_TEMPLATE}))`)}
     codec(ZSTD(1))`,
];
