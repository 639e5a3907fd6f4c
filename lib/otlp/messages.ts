/** How a field of a protobuf message is read. `string` is checked to be UTF-8; `hex` are bytes shown as hexadecimal. */
export type FieldKind =
  | 'string'
  | 'hex'
  | 'base64'
  | 'bool'
  | 'double'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'uint32'
  | 'sint32'
  | 'int64'
  | 'enum'
  | 'uint64s'
  | 'fixed64s'
  | 'doubles'
  | Message
  | [Message];

/** Field number → its JSON name and kind; a message in brackets is repeated, `…s` is a packed list. */
export interface Message {
  [number: number]: readonly [name: string, kind: FieldKind];
}

// The numbers are those of opentelemetry-proto 1.9 (collector/{logs,metrics,trace}/v1), which are frozen.
const anyValue: Message = {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  7: ['bytesValue', 'base64'],
};
const keyValue: Message = { 1: ['key', 'string'], 2: ['value', anyValue] };
anyValue[5] = ['arrayValue', { 1: ['values', [anyValue]] }];
anyValue[6] = ['kvlistValue', { 1: ['values', [keyValue]] }];

const resource: Message = { 1: ['attributes', [keyValue]] };
const scope: Message = { 1: ['name', 'string'], 2: ['version', 'string'] };

/** ResourceX → ScopeX → record: the same shape in all three signals. */
function request(resourceName: string, scopeName: string, recordName: string, record: Message): Message {
  const scoped: Message = { 1: ['scope', scope], 2: [recordName, [record]] };
  return { 1: [resourceName, [{ 1: ['resource', resource], 2: [scopeName, [scoped]] }]] };
}

const logRecord: Message = {
  1: ['timeUnixNano', 'fixed64'],
  2: ['severityNumber', 'enum'],
  3: ['severityText', 'string'],
  5: ['body', anyValue],
  6: ['attributes', [keyValue]],
  9: ['traceId', 'hex'],
  10: ['spanId', 'hex'],
  11: ['observedTimeUnixNano', 'fixed64'],
  12: ['eventName', 'string'],
};

const event: Message = { 1: ['timeUnixNano', 'fixed64'], 2: ['name', 'string'], 3: ['attributes', [keyValue]] };
const link: Message = { 1: ['traceId', 'hex'], 2: ['spanId', 'hex'], 4: ['attributes', [keyValue]] };
const span: Message = {
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  3: ['traceState', 'string'],
  4: ['parentSpanId', 'hex'],
  5: ['name', 'string'],
  6: ['kind', 'enum'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', [keyValue]],
  11: ['events', [event]],
  13: ['links', [link]],
  15: ['status', { 2: ['message', 'string'], 3: ['code', 'enum'] }],
};

const numberPoint: Message = {
  7: ['attributes', [keyValue]],
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['asDouble', 'double'],
  6: ['asInt', 'sfixed64'],
  8: ['flags', 'uint32'],
};
const histogramPoint: Message = {
  9: ['attributes', [keyValue]],
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['bucketCounts', 'fixed64s'],
  7: ['explicitBounds', 'doubles'],
  10: ['flags', 'uint32'],
  11: ['min', 'double'],
  12: ['max', 'double'],
};
const buckets: Message = { 1: ['offset', 'sint32'], 2: ['bucketCounts', 'uint64s'] };
const exponentialPoint: Message = {
  1: ['attributes', [keyValue]],
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['scale', 'sint32'],
  7: ['zeroCount', 'fixed64'],
  8: ['positive', buckets],
  9: ['negative', buckets],
  10: ['flags', 'uint32'],
  12: ['min', 'double'],
  13: ['max', 'double'],
  14: ['zeroThreshold', 'double'],
};
const summaryPoint: Message = {
  7: ['attributes', [keyValue]],
  2: ['startTimeUnixNano', 'fixed64'],
  3: ['timeUnixNano', 'fixed64'],
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['quantileValues', [{ 1: ['quantile', 'double'], 2: ['value', 'double'] }]],
  8: ['flags', 'uint32'],
};
const metric: Message = {
  1: ['name', 'string'],
  2: ['description', 'string'],
  3: ['unit', 'string'],
  5: ['gauge', { 1: ['dataPoints', [numberPoint]] }],
  7: ['sum', { 1: ['dataPoints', [numberPoint]], 2: ['aggregationTemporality', 'enum'], 3: ['isMonotonic', 'bool'] }],
  9: ['histogram', { 1: ['dataPoints', [histogramPoint]], 2: ['aggregationTemporality', 'enum'] }],
  10: ['exponentialHistogram', { 1: ['dataPoints', [exponentialPoint]], 2: ['aggregationTemporality', 'enum'] }],
  11: ['summary', { 1: ['dataPoints', [summaryPoint]] }],
};

/** Messages of a log request that are read by themselves. */
export const LOG_MESSAGES = { resource, scope, logRecord, anyValue } as const;

/** The three export requests. */
export const REQUESTS = {
  logs: request('resourceLogs', 'scopeLogs', 'logRecords', logRecord),
  metrics: request('resourceMetrics', 'scopeMetrics', 'metrics', metric),
  traces: request('resourceSpans', 'scopeSpans', 'spans', span),
} as const;

export type Signal = keyof typeof REQUESTS;
