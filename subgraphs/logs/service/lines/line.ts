import type { OtlpLogRecord } from '../../../../lib/otlp/index.ts';
import { jsonOfPlain, RecordFault } from '../../../../lib/otlp/index.ts';

/** What a line says, as far as it says it. */
export interface Line {
  /** Nanoseconds since 1970, decimal. */
  timeNs?: string | null;
  /** OpenTelemetry's number; 0 when it says none. */
  severity?: number;
  severityText?: string;
  service?: string;
  body: string;
  attributes?: Record<string, unknown>;
  resource?: Record<string, unknown>;
  traceId?: string | null;
  spanId?: string | null;
  /** The stream of a line that goes on in the next one of it. */
  isPartOf?: string;
}

/** A line as a record. @param service of lines that name none */
export function recordOfLine(line: Line, service: string): OtlpLogRecord {
  const name = line.service || service || 'unknown_service';
  return {
    resource: { 'service.name': name, ...line.resource },
    service: name,
    agentId: null,
    scope: '',
    timeNs: line.timeNs ?? null,
    observedNs: null,
    severity: line.severity ?? 0,
    severityText: line.severityText ?? '',
    body: line.body,
    attributes: line.attributes ?? {},
    traceId: line.traceId ?? null,
    spanId: line.spanId ?? null,
  };
}

const TIME = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:?\d\d)$/;

/** Nanoseconds since 1970, decimal, of RFC 3339. @throws RecordFault for another text, or before 1970 */
export function nanosOfTime(text: unknown): string {
  const match = typeof text === 'string' ? TIME.exec(text) : null;
  const [, day, clock, fraction = '', zone = 'Z'] = match ?? [];
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = match ? Date.parse(`${day}T${clock}${offset}`) : Number.NaN;
  if (Number.isNaN(ms)) throw new RecordFault('the time is not RFC 3339');
  if (ms < 0) throw new RecordFault('the time is out of range');
  return String(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** Text of what may be text, checked. @throws RecordFault */
export function textOf(value: unknown, what: string): string {
  const plain = jsonOfPlain(value, what);
  return typeof plain === 'string' ? plain : plain === undefined || plain === null ? '' : JSON.stringify(plain);
}

/** Plain JSON, checked as attributes of OTLP are. @throws RecordFault */
export function attributesOfLine(values: Record<string, unknown>): Record<string, unknown> {
  return jsonOfPlain(values, 'a value') as Record<string, unknown>;
}
