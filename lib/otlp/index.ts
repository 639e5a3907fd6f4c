export { RECORDS_HEADER, recordCount } from './count.ts';
export {
  encodingOf,
  exportAnswer,
  failureAnswer,
  MAX_UNPACKED_BYTES,
  type OtlpEncoding,
  type OtlpRequest,
  readOtlp,
} from './envelope.ts';
export { logsOf, type OtlpLogRecord } from './logs.ts';
export type { Signal } from './messages.ts';
export {
  type ExponentialPoint,
  type GaugePoint,
  type HistogramPoint,
  metricPointsOf,
  type OtlpMetricPoint,
  type SummaryPoint,
  type SumPoint,
} from './metrics.ts';
export type { Plain } from './protobuf.ts';
export type { Decoded, Origin, Rejection } from './records.ts';
export { type OtlpSpan, type OtlpSpanEvent, spansOf } from './traces.ts';
