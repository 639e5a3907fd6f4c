import 'reflect-metadata';
import { GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { FleetError } from '../errors.ts';

function fail(sentence: string): never {
  throw new FleetError('BAD_INPUT', sentence);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function readDateTime(value: unknown): Date {
  const match = typeof value === 'string' ? RFC3339.exec(value) : null;
  const date = match ? new Date(value as string) : undefined;
  // Date.parse rolls 30 February over to March: such a day must be refused, not moved.
  const day = match && new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))).getUTCDate();
  if (!match || !date || Number.isNaN(date.getTime()) || day !== Number(match[3]))
    return fail(`not an RFC 3339 time: ${String(value)}`);
  return date;
}

const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description:
    'A point in time, RFC 3339, UTC, at least milliseconds. Sub-millisecond digits are kept where the source has them.',
  // A string is a time that a store already wrote, with its nanoseconds.
  serialize: (value) =>
    value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : fail('not a time'),
  parseValue: readDateTime,
  parseLiteral: (node) => readDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

const DURATION = /^P(?=[\dT])(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;

/** Milliseconds of an ISO 8601 duration of weeks to seconds, or undefined when it is none. */
export function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return Math.round((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000);
}

/** The ISO 8601 duration of so many milliseconds. */
export function isoDuration(ms: number): string {
  const [days, hours, minutes] = [
    Math.floor(ms / 86_400_000),
    Math.floor(ms / 3_600_000) % 24,
    Math.floor(ms / 60_000) % 60,
  ];
  const seconds = (ms % 60_000) / 1_000;
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  return `P${days ? `${days}D` : ''}${time ? `T${time}` : ''}`.replace(/^P$/, 'PT0S');
}

function readDuration(value: unknown): string {
  if (typeof value !== 'string' || durationMs(value) === undefined) {
    return fail(`not an ISO 8601 duration such as PT5M or P30D: ${String(value)}`);
  }
  return value;
}

const Duration = new GraphQLScalarType<string, string>({
  name: 'Duration',
  description: 'A length of time, ISO 8601, weeks to milliseconds: PT5M, P30D, PT0.5S.',
  serialize: (value) => (typeof value === 'number' ? isoDuration(value) : readDuration(value)),
  parseValue: readDuration,
  parseLiteral: (node) => readDuration(node.kind === Kind.STRING ? node.value : undefined),
});

const MAX_JSON_DEPTH = 32;

function readJson(value: unknown, depth = 0): unknown {
  if (depth > MAX_JSON_DEPTH) fail(`JSON is nested deeper than ${MAX_JSON_DEPTH}`);
  if (typeof value === 'number' && !Number.isFinite(value)) fail('JSON has no NaN or Infinity');
  if (typeof value === 'string' && value.includes('\u0000')) fail('text must not contain U+0000');
  if (Array.isArray(value)) for (const item of value) readJson(item, depth + 1);
  else if (value && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) {
      if (key.includes('\u0000')) fail('text must not contain U+0000');
      readJson(item, depth + 1);
    }
  }
  return value;
}

const literal = (node: ValueNode, variables?: Record<string, unknown> | null) =>
  valueFromASTUntyped(node, variables as never);

const Json = new GraphQLScalarType({
  name: 'JSON',
  description: 'Any JSON value, where the content is the user’s.',
  serialize: (value) => value,
  parseValue: (value) => readJson(value),
  parseLiteral: (node, variables) => readJson(literal(node, variables)),
});

function readSafeInt(value: unknown): number {
  const number =
    typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : value;
  if (!Number.isSafeInteger(number)) return fail(`not a whole number up to 2^53: ${String(value)}`);
  return number as number;
}

const SafeInt = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  description: 'A whole number up to 2^53.',
  serialize: readSafeInt,
  parseValue: (value) => (typeof value === 'number' ? readSafeInt(value) : fail('not a whole number')),
  parseLiteral: (node) => (node.kind === Kind.INT ? readSafeInt(Number(node.value)) : fail('not a whole number')),
});

function readLabels(value: unknown): Record<string, string> {
  if (!value || typeof value !== 'object' || Array.isArray(value)) return fail('labels are an object of strings');
  const entries = Object.entries(readJson(value) as object);
  if (entries.length > 64) fail('at most 64 labels');
  for (const [name, text] of entries) {
    if (typeof text !== 'string') fail(`label ${name} is not a string`);
    if (!name || name.length > 128 || text.length > 2_048)
      fail(`label ${name.slice(0, 40)}: names have 1–128 characters, values up to 2,048`);
  }
  return Object.fromEntries(entries);
}

const Labels = new GraphQLScalarType({
  name: 'Labels',
  description: 'Names to values, both strings: { env: "prod" }.',
  serialize: (value) => value,
  parseValue: readLabels,
  parseLiteral: (node, variables) => readLabels(literal(node, variables)),
});

/** The contract's scalars. */
export const SCALARS = { DateTime, Duration, JSON: Json, SafeInt, Labels } as const;
