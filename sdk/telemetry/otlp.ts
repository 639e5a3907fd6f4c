/** OTLP/JSON as the OpenTelemetry protocol states it: ids in hexadecimal, 64-bit whole numbers as strings, enums as numbers. */

export type Signal = 'logs' | 'traces' | 'metrics';
/** A value that an attribute may have. */
export type AttributeValue = string | number | boolean | readonly string[];
/** What a line, a span or a value says beside its name; what is null or undefined is left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined | null>>;
type AnyValue = Record<string, unknown>;

const SCOPE = '"scope":{"name":"fleetgraph-sdk","version":"1"}';
const ENVELOPE: Record<Signal, { outer: string; scope: string; records: string }> = {
  logs: { outer: 'resourceLogs', scope: 'scopeLogs', records: 'logRecords' },
  traces: { outer: 'resourceSpans', scope: 'scopeSpans', records: 'spans' },
  metrics: { outer: 'resourceMetrics', scope: 'scopeMetrics', records: 'metrics' },
};

/** Milliseconds with a fraction as whole nanoseconds, which do not fit a number. */
export function nanos(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
}

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((each) => ({ stringValue: each })) } };
}

/** Attributes as key-value pairs; what is null or undefined is left out. */
export function keyValues(attributes: Attributes): { key: string; value: AnyValue }[] {
  const pairs: { key: string; value: AnyValue }[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) pairs.push({ key, value: anyValue(value) });
  }
  return pairs;
}

/** The body of one request: records, already in JSON, by the resource that made them, already in JSON too. */
export function exportBody(signal: Signal, byResource: ReadonlyMap<string, readonly string[]>): string {
  const { outer, scope, records } = ENVELOPE[signal];
  const groups: string[] = [];
  for (const [resource, lines] of byResource) {
    groups.push(`{"resource":${resource},"${scope}":[{${SCOPE},"${records}":[${lines.join(',')}]}]}`);
  }
  return `{"${outer}":[${groups.join(',')}]}`;
}
