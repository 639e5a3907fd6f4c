import type { Attributes, LogLevel } from '../../sdk/index.ts';

/** A line that a program wrote, as a log line. */
export interface ProgramLine {
  level: LogLevel;
  body: string;
  attributes: Attributes;
}

const MAX_ATTRIBUTES = 32;
const MAX_TEXT = 16_384;
/** Names under which log lines in JSON have what they say, and how grave it is. */
const BODIES = ['message', 'msg', 'event', 'body'] as const;
const LEVELS = ['level', 'severity', 'lvl', 'severityText'] as const;

const WORDS: readonly [RegExp, LogLevel][] = [
  [/\b(FATAL|CRITICAL|PANIC|EMERG(ENCY)?)\b|^panic:/, 'fatal'],
  [/\b(ERROR|ERR|SEVERE)\b|^Traceback \(|^\w*(Error|Exception):/, 'error'],
  [/\b(WARN|WARNING)\b/, 'warn'],
  [/\bINFO\b/, 'info'],
  [/\bDEBUG\b/, 'debug'],
  [/\bTRACE\b/, 'trace'],
];
/** pino and bunyan tell levels as numbers. */
const NUMBERS: Readonly<Record<number, LogLevel>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/**
 * Reads a line: JSON by its usual names, all else by the words that tell how grave it is.
 * @param isError whether it was written to stderr, where a line that says nothing of itself is a warning
 */
export function readLine(text: string, isError: boolean): ProgramLine {
  const line = text.slice(0, MAX_TEXT);
  const fields = line.startsWith('{') ? fieldsOf(text) : undefined;
  if (!fields) return { level: levelOf(line.slice(0, 200)) ?? (isError ? 'warn' : 'info'), body: line, attributes: {} };
  const named = BODIES.find((name) => typeof fields[name] === 'string' && fields[name]);
  const graded = LEVELS.find((name) => name in fields);
  const level = graded && gradeOf(fields[graded]);
  const rest = Object.entries(fields).filter(([name]) => name !== named && name !== graded);
  return {
    level: level ?? (isError ? 'warn' : 'info'),
    body: named ? String(fields[named]).slice(0, MAX_TEXT) : line,
    attributes: Object.fromEntries(rest.slice(0, MAX_ATTRIBUTES).map(([name, value]) => [name, attributeOf(value)])),
  };
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function gradeOf(value: unknown): LogLevel | undefined {
  return typeof value === 'number' ? NUMBERS[value] : levelOf(String(value).toUpperCase());
}

function levelOf(text: string): LogLevel | undefined {
  return WORDS.find(([pattern]) => pattern.test(text))?.[1];
}

function attributeOf(value: unknown): Attributes[string] {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, MAX_TEXT);
}
