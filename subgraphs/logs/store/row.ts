import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { Agent, LogEntry, Trace } from '../entity/index.ts';

/** A log entry as it is inserted; the inserter adds `stamp`, `seq` and `batch`. */
export interface NewLogRow {
  /** Nanoseconds since 1970, decimal. */
  time: string;
  observed: string;
  /** 1 to 24. */
  severity: number;
  service: string;
  /** The agent's bare uuid, or empty. */
  agent: string;
  agent_name: string;
  /** Hexadecimal, or empty. */
  trace: string;
  span: string;
  body: string;
  /** Each value as JSON text. */
  attributes: Record<string, string>;
  /** JSON text. */
  resource: string;
}

/** A log entry as it is kept, with its place. */
export interface LogRow extends NewLogRow {
  stamp: number;
  seq: number;
}

/** Lowest severity first, as search and filters rank them. */
export const SEVERITIES = Object.values(LogSeverity);

/** A severity's place among the six, of OpenTelemetry's number. */
export function rankOf(severity: number): number {
  return Math.min(5, Math.max(0, Math.floor((severity - 1) / 4)));
}

/** OpenTelemetry's number of a severity: the first of its four. */
export function numberOf(severity: LogSeverity): number {
  return SEVERITIES.indexOf(severity) * 4 + 1;
}

const STAMP_BITS = 52n;
const SEQ_BITS = 22n;
const MILLION = 1_000_000n;

/** Rows that one group may have: what fits an id. */
export const MAX_GROUP_ROWS = 2 ** Number(SEQ_BITS);

/**
 * The uuid of an entry: its time in milliseconds, its stamp and its place in the group. So an id needs no column, and finding
 * an entry by it reads one stretch of the table.
 */
export function uuidOfPlace({ time, stamp, seq }: Pick<LogRow, 'time' | 'stamp' | 'seq'>): string {
  const rest = (BigInt(stamp) << SEQ_BITS) | BigInt(seq);
  const high = ((BigInt(time) / MILLION) << 16n) | 0x7000n | (rest >> 62n);
  const low = (0b10n << 62n) | (rest & ((1n << 62n) - 1n));
  const hex = high.toString(16).padStart(16, '0') + low.toString(16).padStart(16, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Where an entry with this uuid is, if it is one of ours. */
export function placeOfUuid(uuid: string): { ms: number; stamp: number; seq: number } | undefined {
  const bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  const high = bits >> 64n;
  if (((high >> 12n) & 0xfn) !== 7n) return undefined;
  const rest = ((high & 0xfffn) << 62n) | (bits & ((1n << 62n) - 1n));
  const stamp = (rest >> SEQ_BITS) & ((1n << STAMP_BITS) - 1n);
  return { ms: Number(high >> 16n), stamp: Number(stamp), seq: Number(rest & ((1n << SEQ_BITS) - 1n)) };
}

/** RFC 3339 of nanoseconds since 1970: milliseconds, and more digits where there are more. */
export function timeOfNanos(nanos: string): string {
  const value = BigInt(nanos);
  const text = new Date(Number(value / MILLION)).toISOString();
  const rest = String(value % MILLION)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return rest ? `${text.slice(0, -1)}${rest}Z` : text;
}

/** Nanoseconds, decimal, of whole milliseconds: beyond what a number holds exactly. */
export function nanosOf(ms: number): string {
  return String(BigInt(Math.floor(ms)) * MILLION);
}

/** Milliseconds of nanoseconds. */
export function millisOf(nanos: string): number {
  const value = BigInt(nanos);
  return Number(value / MILLION) + Number(value % MILLION) / 1e6;
}

/** An entry as it is shown. */
export function entryOf(row: LogRow): LogEntry {
  return Object.assign(new LogEntry(), {
    id: nodeId('LogEntry', uuidOfPlace(row)),
    place: { time: row.time, stamp: row.stamp, seq: row.seq },
    time: timeOfNanos(row.time),
    observedAt: timeOfNanos(row.observed),
    severity: SEVERITIES[rankOf(row.severity)],
    service: row.service,
    body: row.body,
    attributes: Object.fromEntries(Object.entries(row.attributes).map(([name, text]) => [name, JSON.parse(text)])),
    resource: JSON.parse(row.resource),
    traceId: row.trace || null,
    spanId: row.span || null,
    agent: row.agent ? Agent.of(nodeId('Agent', row.agent)) : null,
    trace: row.trace ? Trace.of(row.trace) : null,
  });
}
