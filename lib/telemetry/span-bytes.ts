import { SCOPE } from './traceparent.ts';

/** Numbers of OTLP's `Span.SpanKind`. */
const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const;

export type Attributes = Record<string, string | number | boolean>;

/** A span that has ended. Times are epoch milliseconds. */
export interface EndedSpan {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** 16 hexadecimal digits; none: the root of its trace. */
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

/** Fields of `opentelemetry.proto.trace.v1` and `common.v1` with their wire types, as bytes (OTLP 1.5). */
const TAG = {
  spans: 0x12,
  traceId: 0x0a,
  spanId: 0x12,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  start: 0x39,
  end: 0x41,
  attributes: 0x4a,
  status: 0x7a,
  /** Field 16: its tag takes two bytes. */
  flags: [0x85, 0x01],
  key: 0x0a,
  value: 0x12,
  stringValue: 0x0a,
  boolValue: 0x10,
  intValue: 0x18,
  doubleValue: 0x21,
  statusMessage: 0x12,
  statusCode: 0x18,
} as const;

const SAMPLED = 0x1;
const KNOWN_REMOTE = 0x100;
const IS_REMOTE = 0x200;
const STATUS_ERROR = 2;
const TWO_32 = 2 ** 32;
/** What tells of a span is cut here: UTF-16 units, so three times as many bytes at most. */
const MAX_TEXT = 1_024;
const MAX_ATTRIBUTES = 16;
/** No span is longer, bytes: each text with the few bytes around it. */
export const MAX_SPAN_BYTES = (2 + 2 * MAX_ATTRIBUTES) * (3 * MAX_TEXT + 16) + 128;

/**
 * Writes ended spans as protobuf into a page of bytes, each at once: objects that wait for a serializer, or texts made of many pieces,
 * are a cost of their own, and old memory by the time they are sent. Lengths that are not known before take a fixed number of bytes,
 * as variable-length integers may.
 */
export class SpanPage {
  readonly #bytes: Buffer;
  #end = 0;
  /** Spans in it. */
  count = 0;

  /** @param size bytes, several times `MAX_SPAN_BYTES` */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Whether any one more has room. */
  get hasRoom(): boolean {
    return this.#bytes.length - this.#end >= MAX_SPAN_BYTES;
  }

  add(span: EndedSpan): void {
    const { parentSpanId, failure, attributes } = span;
    this.#byte(TAG.spans);
    const length = this.#reserve(3);
    this.#hex(TAG.traceId, span.traceId);
    this.#hex(TAG.spanId, span.spanId);
    if (parentSpanId) this.#hex(TAG.parentSpanId, parentSpanId);
    this.#text(TAG.name, span.name);
    this.#byte(TAG.kind);
    this.#byte(KIND[span.kind]);
    this.#time(TAG.start, span.startedMs);
    this.#time(TAG.end, Math.max(span.startedMs, span.endedMs));
    let left = MAX_ATTRIBUTES;
    for (const key in attributes) if (left-- > 0) this.#attribute(key, attributes[key] as Attributes[string]);
    if (failure !== undefined) this.#failure(failure);
    for (const byte of TAG.flags) this.#byte(byte);
    this.#end = this.#bytes.writeUInt32LE(SAMPLED | KNOWN_REMOTE | (span.isParentRemote ? IS_REMOTE : 0), this.#end);
    this.#close(length, 3);
    this.count += 1;
  }

  /** Its spans, and it is empty. @returns the bytes of `ScopeSpans.spans` */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#end));
    this.#end = 0;
    this.count = 0;
    return taken;
  }

  #byte(value: number): void {
    this.#bytes[this.#end++] = value;
  }

  /** Room for a length. @returns where */
  #reserve(size: 2 | 3): number {
    const at = this.#end;
    this.#end += size;
    return at;
  }

  /** Writes the length of what came since `reserve`. */
  #close(at: number, size: 2 | 3): void {
    const length = this.#end - at - size;
    this.#bytes[at] = (length & 0x7f) | 0x80;
    if (size === 2) this.#bytes[at + 1] = length >> 7;
    else {
      this.#bytes[at + 1] = ((length >> 7) & 0x7f) | 0x80;
      this.#bytes[at + 2] = length >> 14;
    }
  }

  #hex(tag: number, digits: string): void {
    this.#byte(tag);
    this.#byte(digits.length / 2);
    this.#end += this.#bytes.write(digits, this.#end, 'hex');
  }

  #text(tag: number, text: string): void {
    this.#byte(tag);
    const length = this.#reserve(2);
    this.#end += this.#bytes.write(text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text, this.#end, 'utf8');
    this.#close(length, 2);
  }

  /** To the microsecond: a double of today's milliseconds tells no more. */
  #time(tag: number, ms: number): void {
    this.#byte(tag);
    const us = Math.round(ms * 1_000);
    // Nanoseconds are beyond what a double counts: 1,000 times each half, the carry added to the upper one.
    const low = (us % TWO_32) * 1_000;
    this.#end = this.#bytes.writeUInt32LE(low % TWO_32, this.#end);
    this.#end = this.#bytes.writeUInt32LE(Math.floor(us / TWO_32) * 1_000 + Math.floor(low / TWO_32), this.#end);
  }

  #attribute(key: string, value: Attributes[string]): void {
    this.#byte(TAG.attributes);
    const length = this.#reserve(2);
    this.#text(TAG.key, key);
    this.#byte(TAG.value);
    const inner = this.#reserve(2);
    this.#value(value);
    this.#close(inner, 2);
    this.#close(length, 2);
  }

  #value(value: Attributes[string]): void {
    if (typeof value === 'string') this.#text(TAG.stringValue, value);
    else if (typeof value === 'boolean') {
      this.#byte(TAG.boolValue);
      this.#byte(value ? 1 : 0);
    } else if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) {
      this.#byte(TAG.intValue);
      this.#varint(value);
    } else {
      this.#byte(TAG.doubleValue);
      this.#end = this.#bytes.writeDoubleLE(value, this.#end);
    }
  }

  #failure(message: string): void {
    this.#byte(TAG.status);
    const length = this.#reserve(2);
    if (message) this.#text(TAG.statusMessage, message);
    this.#byte(TAG.statusCode);
    this.#byte(STATUS_ERROR);
    this.#close(length, 2);
  }

  #varint(value: number): void {
    let left = value;
    for (; left > 0x7f; left >>>= 7) this.#byte((left & 0x7f) | 0x80);
    this.#byte(left);
  }
}

/** A whole `ExportTraceServiceRequest` of one process. @param spans as a page gives them */
export function exportRequest(resource: Attributes, spans: Buffer): Buffer {
  const scope = field(0x0a, field(0x0a, Buffer.from(SCOPE)));
  const pairs = Object.entries(resource).map(([key, value]) => {
    const told = field(TAG.value, field(TAG.stringValue, Buffer.from(String(value))));
    return field(0x0a, Buffer.concat([field(TAG.key, Buffer.from(key)), told]));
  });
  const scopeSpans = field(0x12, Buffer.concat([scope, spans]));
  return field(0x0a, Buffer.concat([field(0x0a, Buffer.concat(pairs)), scopeSpans]));
}

function field(tag: number, content: Buffer): Buffer {
  const head = [tag];
  let left = content.length;
  for (; left > 0x7f; left >>>= 7) head.push((left & 0x7f) | 0x80);
  head.push(left);
  return Buffer.concat([Buffer.from(head), content]);
}
