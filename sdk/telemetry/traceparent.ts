/** Where in a trace one is. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Said when its trace is not recorded. */
  isUnsampled?: boolean;
}

const SHAPE = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Reads a `traceparent`; undefined when it is not one. Source: W3C Trace Context, 3.2. */
export function readTraceparent(header: unknown): TraceContext | undefined {
  const match = typeof header === 'string' ? SHAPE.exec(header) : null;
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return Number.parseInt(flags, 16) & 1 ? { traceId, spanId } : { traceId, spanId, isUnsampled: true };
}

/** The `traceparent` to pass on, version 00. */
export function writeTraceparent({ traceId, spanId, isUnsampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-0${isUnsampled ? 0 : 1}`;
}

/** A new id of so many hexadecimal digits, never all zeros. */
export function traceDigits(length: 16 | 32, random: () => number): string {
  let digits = '';
  while (digits.length < length)
    digits += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return /^0+$/.test(digits) ? digits.replace(/.$/, '1') : digits;
}
