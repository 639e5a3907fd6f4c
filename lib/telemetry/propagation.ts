import {
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** Our instrumentation's own name in its spans. */
export const SCOPE = 'fleetgraph';
const SHAPE = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** What is known of a span when it begins. */
export interface SpanFacts {
  kind?: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';
  attributes?: Record<string, string | number | boolean>;
  /** Of a light span: `traceparent` names this very span, not its parent: it was made here and told before the span began. */
  isRoot?: boolean;
  /** When it began, epoch milliseconds; now unless given. */
  startedMs?: number;
}

/** Reads a `traceparent`; undefined when it is not one. Source: W3C Trace Context, 3.2. */
export function readTraceparent(header: unknown): SpanContext | undefined {
  const match = typeof header === 'string' ? SHAPE.exec(header) : null;
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

/** The `traceparent` of the span that the calling code runs in, to be passed on; undefined outside of any. */
export function currentTraceparent(): string | undefined {
  const current = trace.getSpanContext(context.active());
  return current && traceparentOf(current);
}

/**
 * Runs a function as a span: part of the trace that `traceparent` names, else of the current one, else of a new one. A thrown
 * error marks the span as failed and passes on.
 */
export function withTraceparent<T>(
  traceparent: string | undefined,
  name: string,
  work: (span: Span) => Promise<T>,
  facts: SpanFacts = {},
): Promise<T> {
  const named = readTraceparent(traceparent);
  const within = named ? trace.setSpanContext(ROOT_CONTEXT, named) : context.active();
  return trace
    .getTracer(SCOPE)
    .startActiveSpan(name, optionsOf(facts), within, (span) => ending(span, () => work(span)));
}

function optionsOf({ kind = 'INTERNAL', attributes = {}, startedMs }: SpanFacts): SpanOptions {
  return { kind: SpanKind[kind], attributes, ...(startedMs === undefined ? {} : { startTime: startedMs }) };
}

/** A span's context as the header has it. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags & 1 ? '01' : '00'}`;
}

async function ending<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    span.end();
  }
}
