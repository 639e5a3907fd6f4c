import { errorFields } from './error-fields.ts';
import { isSecret, REDACTED, withoutSecrets } from './redaction.ts';
import type { TraceContext } from './traceparent.ts';

/** OpenTelemetry's severity numbers. */
export const SEVERITY = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;
/** How severe a line is, `trace` to `fatal`. */
export type LogLevel = keyof typeof SEVERITY;

/** What an event says beside its name. An Error under `error` or `err` is told with its type, code and stack. */
export type Fields = Readonly<Record<string, unknown>>;

/** Where lines come from. */
export interface LineOrigin {
  /** The program, as `service` of the line. */
  service: string;
  /** Global id of the agent that it is. */
  agentId?: string | undefined;
}

/** An event on its way to a line. */
export interface LoggedEvent {
  /** How severe it is. */
  level: LogLevel;
  /** Milliseconds since 1970. */
  timeMs: number;
  /** What happened: a name, the same each time. */
  event: string;
  /** What else is said of it. */
  fields: Fields;
  /** The trace it belongs to. */
  context?: TraceContext | undefined;
}

interface Budget {
  left: number;
}

const MAX_TEXT = 16_384;
const MAX_ITEMS = 100;
const MAX_DEPTH = 6;
/** Values of one line, however they nest. */
const MAX_VALUES = 1_000;
const OWN = new Set(['time', 'level', 'service', 'event', 'agentId', 'traceId', 'spanId']);
/** Names that the schema wants a text under. */
const TEXTS = new Set(['error', 'errorType', 'errorCode', 'stack', 'requestId', 'house', 'logger']);

/** One line of docs/log-line.schema.json, without its newline. Never throws, whatever the fields are. */
export function logLine(origin: LineOrigin, logged: LoggedEvent): string {
  const { level, timeMs, event, fields, context } = logged;
  const { service, agentId } = origin;
  const base = {
    time: new Date(Number.isFinite(timeMs) ? timeMs : 0).toISOString(),
    level,
    service: service || 'unnamed',
    event: plainText(event) || 'nothing said',
    ...(agentId ? { agentId } : {}),
    ...(context ? { traceId: context.traceId, spanId: context.spanId } : {}),
  };
  try {
    return JSON.stringify({ ...base, ...linedFields(fields) });
  } catch {
    return JSON.stringify({ ...base, unwritable: true });
  }
}

/** Fields as a line has them: errors taken apart, own names kept free, secrets left out. */
function linedFields(fields: Fields): Record<string, unknown> {
  // Without a prototype: `__proto__` is a name like any other.
  const lined: Record<string, unknown> = Object.create(null);
  const budget = { left: MAX_VALUES };
  for (const [name, value] of Object.entries(fields).slice(0, MAX_ITEMS)) {
    if (value === undefined) continue;
    if ((name === 'error' || name === 'err') && value instanceof Error) {
      for (const [part, text] of Object.entries(errorFields(value))) lined[part] = plainText(text);
      continue;
    }
    const plain = isSecret(name, value) ? REDACTED : plainValue(value, 0, budget);
    const named = OWN.has(name) ? `fields.${name}` : name;
    lined[named] = TEXTS.has(name) && typeof plain !== 'string' ? JSON.stringify(plain) : plain;
  }
  return lined;
}

function plainText(text: string): string {
  const whole = String(text);
  const cut = whole.length > MAX_TEXT ? `${whole.slice(0, MAX_TEXT)}…` : whole;
  return withoutSecrets(cut).toWellFormed();
}

/** A value as JSON can say it; what nests on and on, and what cannot be read, is told in a word. */
function plainValue(value: unknown, depth: number, budget: Budget): unknown {
  budget.left -= 1;
  if (budget.left < 0) return '[more]';
  switch (typeof value) {
    case 'string':
      return plainText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : plainObject(value, depth, budget);
    default:
      return `[${typeof value}]`;
  }
}

function plainObject(value: object, depth: number, budget: Budget): unknown {
  if (depth >= MAX_DEPTH) return '[deeper]';
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Error) return plainObject(errorFields(value), depth, budget);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => plainValue(item, depth + 1, budget));
    const entries = value instanceof Map ? [...value].map(([key, item]) => [String(key), item]) : Object.entries(value);
    return Object.fromEntries(
      (entries as [string, unknown][])
        .slice(0, MAX_ITEMS)
        .map(([name, item]) => [name, isSecret(name, item) ? REDACTED : plainValue(item, depth + 1, budget)]),
    );
  } catch {
    return '[unreadable]';
  }
}
