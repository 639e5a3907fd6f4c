import { SCOPE } from './traceparent.ts';

/** Numbers of OTLP's `Span.SpanKind`. */
const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const;

export type Attributes = Record<string, string | number | boolean>;

/** A span that has ended. Times are epoch milliseconds. */
export interface EndedSpan {
  traceId: string;
  spanId: string;
  /** Sixteen hexadecimal digits; none: the root of its trace. */
  parentSpanId?: string | undefined;
  /** Whether the parent is of another process. */
  isParentRemote: boolean;
  name: string;
  kind: keyof typeof KIND;
  startedMs: number;
  endedMs: number;
  attributes: Attributes;
  /** What went wrong, if it did. */
  failure?: string | undefined;
}

const SAMPLED = 0x1;
const KNOWN_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/**
 * A span as OTLP/JSON text. Written as text at once, not as an object that waits: a serializer that walks objects costs ten times as
 * much, and what waits a second to be sent would be old memory by then.
 * Source: OTLP 1.5, JSON Protobuf Encoding (hexadecimal ids, 64-bit numbers as strings).
 */
export function spanText(span: EndedSpan): string {
  const { traceId, spanId, parentSpanId, isParentRemote, name, kind, startedMs, endedMs, attributes, failure } = span;
  const flags = SAMPLED | KNOWN_REMOTE | (isParentRemote ? IS_REMOTE : 0);
  const parent = parentSpanId ? `,"parentSpanId":"${parentSpanId}"` : '';
  const status = failure === undefined ? '{"code":0}' : `{"code":2,"message":${JSON.stringify(failure)}}`;
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}"${parent},"flags":${flags},"name":${JSON.stringify(name)}` +
    `,"kind":${KIND[kind]},"startTimeUnixNano":"${nanos(startedMs)}","endTimeUnixNano":"${nanos(Math.max(startedMs, endedMs))}"` +
    `,"attributes":${attributesText(attributes)},"status":${status}}`
  );
}

/** Around the texts of spans, joined by commas: a whole `ExportTraceServiceRequest` of one process. */
export function requestAround(resource: Attributes): readonly [before: string, after: string] {
  const scope = `{"scope":{"name":${JSON.stringify(SCOPE)}},"spans":[`;
  return [`{"resourceSpans":[{"resource":{"attributes":${attributesText(resource)}},"scopeSpans":[${scope}`, ']}]}]}'];
}

function attributesText(attributes: Attributes): string {
  let text = '';
  for (const key in attributes) {
    text += `${text && ','}{"key":${JSON.stringify(key)},"value":${valueText(attributes[key] as Attributes[string])}}`;
  }
  return `[${text}]`;
}

function valueText(value: Attributes[string]): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  // JSON has no word for what is not finite.
  if (!Number.isFinite(value)) return `{"stringValue":"${value}"}`;
  return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** To the microsecond: a double of today's milliseconds tells no more. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}
