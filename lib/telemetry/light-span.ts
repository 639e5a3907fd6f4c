import { randomFillSync } from 'node:crypto';
import type { Attributes, EndedSpan } from './span-bytes.ts';
import { readTraceparent, type SpanFacts, traceparentOf } from './traceparent.ts';

/** Where ended spans go. */
export type SpanSink = (span: EndedSpan) => void;

/** Set while this process traces. */
let sink: SpanSink | undefined;

/** Takes the light spans of this process from now on; undefined: nobody does. */
export function takeLightSpans(taking: SpanSink | undefined): void {
  sink = taking;
}

/**
 * Runs a function as a span that is told to it and not followed through its promises: a tenth of the cost of the SDK's own, which
 * would be as much as the rest of a small request. Without tracing, or where `traceparent` is not sampled, it only runs it.
 * A thrown error marks the span as failed and passes on.
 * @param work gets the `traceparent` that names the new span, and may add to its attributes
 */
export function asSpan<T>(
  traceparent: string | undefined,
  name: string,
  work: (traceparent: string | undefined, attributes: Attributes) => Promise<T>,
  facts: SpanFacts = {},
): Promise<T> {
  const named = sink && readTraceparent(traceparent);
  if (!named || !(named.traceFlags & 1)) return work(traceparent, {});
  const { isRoot = false, kind = 'INTERNAL', startedMs = nowMs(), attributes = {} } = facts;
  const { traceId } = named;
  const spanId = isRoot ? named.spanId : newSpanId();
  const parentSpanId = isRoot ? undefined : named.spanId;
  // Only who serves was called from elsewhere.
  const isParentRemote = !isRoot && kind === 'SERVER';
  const span = { traceId, spanId, parentSpanId, isParentRemote, name, kind, startedMs, endedMs: startedMs, attributes };
  return ending(span, () => work(traceparentOf({ traceId, spanId, traceFlags: 1 }), attributes));
}

/** A span of something that is over, below the one that `traceparent` names. Times are epoch milliseconds. */
export function pastSpan(traceparent: string | undefined, name: string, startedMs: number, endedMs: number): void {
  const parent = sink && readTraceparent(traceparent);
  if (!parent) return;
  const { traceId, spanId: parentSpanId } = parent;
  const ids = { traceId, spanId: newSpanId(), parentSpanId, isParentRemote: false };
  sink?.({ ...ids, name, kind: 'INTERNAL', startedMs, endedMs, attributes: {} });
}

async function ending<T>(span: EndedSpan, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    span.endedMs = nowMs();
    sink?.(span);
    return result;
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    sink?.({ ...span, endedMs: nowMs(), failure });
    throw error;
  }
}

const ORIGIN_MS = performance.timeOrigin;

/** Epoch milliseconds with their fraction. */
function nowMs(): number {
  return ORIGIN_MS + performance.now();
}

const pool = Buffer.alloc(8 * 256);
let left = 0;

/** Sixteen hexadecimal digits, from a pool: drawing eight bytes at a time costs more than the span. */
function newSpanId(): string {
  if (left === 0) {
    randomFillSync(pool);
    left = pool.length;
  }
  left -= 8;
  return pool.toString('hex', left, left + 8);
}
