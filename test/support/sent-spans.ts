import { parseOtlp } from '../../lib/otlp/envelope.ts';

/** A span as OTLP/JSON has it. */
export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code: number; message?: string };
  events?: { name: string }[];
}

interface Sent {
  resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[];
}

/** The spans in a protobuf `ExportTraceServiceRequest`. */
export function spansIn(body: Uint8Array): SentSpan[] {
  const { resourceSpans } = parseOtlp('traces', { encoding: 'protobuf', bytes: Buffer.from(body) }) as unknown as Sent;
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
}
