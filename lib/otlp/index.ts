export { RECORDS_HEADER, recordCount } from './count.ts';
export {
  encodingOf,
  exportAnswer,
  failureAnswer,
  MAX_UNPACKED_BYTES,
  type OtlpBody,
  type OtlpEncoding,
  type OtlpRequest,
  parseOtlp,
  readOtlp,
  unpacked,
  unpackOtlp,
} from './envelope.ts';
export { logOf, logsOf, type OtlpLogRecord } from './logs.ts';
export { LOG_MESSAGES, type Signal } from './messages.ts';
export {
  type ExponentialPoint,
  type GaugePoint,
  type HistogramPoint,
  metricPointsOf,
  type OtlpMetricPoint,
  type SummaryPoint,
  type SumPoint,
} from './metrics.ts';
export { decodeMessage, type Plain } from './protobuf.ts';
export { type Decoded, type Origin, once, originOf, type Rejection, resourceOf } from './records.ts';
export { type OtlpSpan, type OtlpSpanEvent, spansOf } from './traces.ts';
export { jsonOf, jsonOfPlain, RecordFault } from './values.ts';
