import type { Plain } from './protobuf.ts';
import { Collector, type Decoded, eachRecord, type Origin } from './records.ts';
import { attributesOf, checkText, enumOf, idOf, jsonOf, nanosOf } from './values.ts';

/** A log record as it came, checked. */
export interface OtlpLogRecord extends Origin {
  /** Nanoseconds since 1970, decimal; null when it says none. */
  timeNs: string | null;
  observedNs: string | null;
  /** 0 (unspecified) to 24. */
  severity: number;
  severityText: string;
  /** Text; a structured body as JSON. */
  body: string;
  attributes: Record<string, unknown>;
  traceId: string | null;
  spanId: string | null;
}

const NAMES = { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' };

/** Reads an ExportLogsServiceRequest. */
export function logsOf(request: Plain): Decoded<OtlpLogRecord> {
  const collector = new Collector<OtlpLogRecord>();
  eachRecord(request, NAMES, (record, origin) => collector.take(() => logOf(record, origin())));
  return collector.done();
}

/** Reads one LogRecord. @throws RecordFault why it cannot be stored */
export function logOf(record: Plain, origin: Origin): OtlpLogRecord {
  const body = record['body'] === undefined ? '' : jsonOf(record['body']);
  const attributes = attributesOf(record['attributes']);
  const eventName = checkText(record['eventName'], 'the event name');
  return {
    ...origin,
    timeNs: nanosOf(record['timeUnixNano'], 'the time'),
    observedNs: nanosOf(record['observedTimeUnixNano'], 'the observed time'),
    severity: enumOf(record['severityNumber'], 24, 'the severity number'),
    severityText: checkText(record['severityText'], 'the severity text'),
    body: typeof body === 'string' ? body : body === null ? '' : JSON.stringify(body),
    attributes: eventName && !('event.name' in attributes) ? { ...attributes, 'event.name': eventName } : attributes,
    traceId: idOf(record['traceId'], 16, 'the trace id'),
    spanId: idOf(record['spanId'], 8, 'the span id'),
  };
}
