import {
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { readTraceparent, SCOPE, type SpanFacts, traceparentOf } from './traceparent.ts';

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
