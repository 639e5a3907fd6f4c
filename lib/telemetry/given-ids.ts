import { type Context, ROOT_CONTEXT, type Span, type SpanContext } from '@opentelemetry/api';

/** The ids of the root span that is being made; set only while `startSpan` runs, which is synchronous. */
let given: SpanContext | undefined;

/** The ids that the span being made must have, if any. */
export function givenIds(): SpanContext | undefined {
  return given;
}

/** Starts a root span with ids that callers were already told. */
export function startGiven(ids: SpanContext, start: (within: Context) => Span): Span {
  given = ids;
  try {
    return start(ROOT_CONTEXT);
  } finally {
    given = undefined;
  }
}
