import { type Context, context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';

/** The ids of the root span that is being made; set only while `startSpan` runs, which is synchronous. */
let given: SpanContext | undefined;

/** The ids that the span being made must have, if any. */
export function givenIds(): SpanContext | undefined {
  return given;
}

/** Starts a root span with ids that callers were already told, and runs `work` inside it. */
export function inGivenSpan<T>(ids: SpanContext, start: (within: Context) => Span, work: (span: Span) => T): T {
  given = ids;
  let span: Span;
  try {
    span = start(ROOT_CONTEXT);
  } finally {
    given = undefined;
  }
  return context.with(trace.setSpan(ROOT_CONTEXT, span), () => work(span));
}
