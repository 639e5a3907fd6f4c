import type { Clock } from '../../lib/clock.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const ZERO = /^0+$/;

/** The trace id of a W3C traceparent, or undefined when it is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const match = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  if (!match || ZERO.test(match[1] as string) || ZERO.test(match[2] as string)) return undefined;
  return match[1];
}

/**
 * The caller's trace context if it is one, else a new one whose first span is this router's.
 * @param sampledRatio share of new traces that are recorded, 0 to 1
 */
export function traceOf(
  given: string | undefined,
  clock: Clock,
  sampledRatio: number,
): { traceparent: string; isTraceRoot?: true } {
  if (given !== undefined && traceIdOf(given)) return { traceparent: given };
  const traceId = withoutHyphens(clock.uuid());
  // The last 16 digits of a uuid are its random ones.
  const spanId = withoutHyphens(clock.uuid()).slice(16);
  const flags = clock.random() < sampledRatio ? '01' : '00';
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, isTraceRoot: true };
}

function withoutHyphens(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
}
