import type { SpanContext } from '@opentelemetry/api';

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

/** A span's context as the header has it. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags & 1 ? '01' : '00'}`;
}
