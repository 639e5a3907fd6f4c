import { randomFillSync } from 'node:crypto';
import type { Attributes, HrTime, SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { readTraceparent, SCOPE, type SpanFacts, traceparentOf } from './traceparent.ts';

/** The API's numbers, without loading it: a process that traces nothing has no use for it. */
const KIND = { INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const satisfies Record<
  keyof typeof SpanKind,
  SpanKind
>;
const STATUS = { UNSET: 0, OK: 1, ERROR: 2 } as const satisfies Record<keyof typeof SpanStatusCode, SpanStatusCode>;

/** Where finished spans go. */
export type SpanSink = (span: ReadableSpan) => void;

interface Tracer {
  sink: SpanSink;
  resource: ReadableSpan['resource'];
}

/** Set while this process traces. */
let tracer: Tracer | undefined;

/** Takes the light spans of this process from now on; undefined: nobody does. */
export function takeLightSpans(taking: Tracer | undefined): void {
  tracer = taking;
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
  const named = tracer && readTraceparent(traceparent);
  if (!named || !(named.traceFlags & 1)) return work(traceparent, {});
  const { isRoot = false, kind = 'INTERNAL', startedMs = nowMs(), attributes = {} } = facts;
  const own = isRoot ? { ...named, isRemote: false } : { traceId: named.traceId, spanId: newSpanId(), traceFlags: 1 };
  const made = { name, kind: KIND[kind], own, parent: isRoot ? undefined : named, startedMs, attributes };
  return ending(made, () => work(traceparentOf(own), attributes));
}

/** A span of something that is over, below the one that `traceparent` names. Times are epoch milliseconds. */
export function pastSpan(traceparent: string | undefined, name: string, startedMs: number, endedMs: number): void {
  const parent = readTraceparent(traceparent);
  if (!parent) return;
  const own = { traceId: parent.traceId, spanId: newSpanId(), traceFlags: 1 };
  tell({ name, kind: KIND.INTERNAL, own, parent, startedMs, attributes: {} }, endedMs);
}

interface Made {
  name: string;
  kind: SpanKind;
  own: SpanContext;
  parent: SpanContext | undefined;
  startedMs: number;
  attributes: Attributes;
}

async function ending<T>(made: Made, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    tell(made, nowMs());
    return result;
  } catch (error) {
    tell(made, nowMs(), error instanceof Error ? error.message : String(error));
    throw error;
  }
}

const OK = { code: STATUS.UNSET } as const;
const NOTHING: never[] = [];
const INSTRUMENTATION = { name: SCOPE };

function tell({ own, parent, startedMs, ...made }: Made, endedMs: number, failure?: string): void {
  tracer?.sink({
    ...made,
    spanContext: () => own,
    ...(parent ? { parentSpanContext: parent } : {}),
    startTime: hrTimeOf(startedMs),
    endTime: hrTimeOf(endedMs),
    duration: hrTimeOf(Math.max(0, endedMs - startedMs)),
    status: failure === undefined ? OK : { code: STATUS.ERROR, message: failure },
    links: NOTHING,
    events: NOTHING,
    ended: true,
    resource: tracer.resource,
    instrumentationScope: INSTRUMENTATION,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
}

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}

/** Epoch milliseconds with their fraction. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
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
