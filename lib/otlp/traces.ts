import type { Plain } from './protobuf.ts';
import { Collector, type Decoded, eachRecord, type Origin } from './records.ts';
import { attributesOf, checkText, enumOf, idOf, listOf, nanosOf, objectOf, RecordFault } from './values.ts';

export const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;

export interface OtlpSpanEvent {
  timeNs: string | null;
  name: string;
  attributes: Record<string, unknown>;
}

/** A span as it came, checked. */
export interface OtlpSpan extends Origin {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  traceState: string;
  name: string;
  kind: (typeof SPAN_KINDS)[number];
  /** Nanoseconds since 1970, decimal. */
  startNs: string;
  endNs: string;
  attributes: Record<string, unknown>;
  events: OtlpSpanEvent[];
  links: { traceId: string; spanId: string; attributes: Record<string, unknown> }[];
  /** 0 unset, 1 ok, 2 error. */
  statusCode: number;
  statusMessage: string;
}

const NAMES = { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' };

/** Reads an ExportTraceServiceRequest. */
export function spansOf(request: Plain): Decoded<OtlpSpan> {
  const collector = new Collector<OtlpSpan>();
  eachRecord(request, NAMES, (record, origin) => collector.take(() => spanOf(record, origin())));
  return collector.done();
}

function spanOf(span: Plain, origin: Origin): OtlpSpan {
  const startNs = nanosOf(span['startTimeUnixNano'], 'the start') ?? missing('a start');
  const endNs = nanosOf(span['endTimeUnixNano'], 'the end') ?? startNs;
  const parent = span['parentSpanId'];
  const status = objectOf(span['status'], 'the status');
  return {
    ...origin,
    ...idsOf(span),
    // Some exporters write the absent parent of a root as zeros.
    parentSpanId: parent === '0000000000000000' ? null : idOf(parent, 8, 'the parent span id'),
    traceState: checkText(span['traceState'], 'the trace state'),
    name: checkText(span['name'], 'the name'),
    kind: SPAN_KINDS[enumOf(span['kind'], 5, 'the kind')] as OtlpSpan['kind'],
    startNs,
    endNs: BigInt(endNs) < BigInt(startNs) ? startNs : endNs,
    attributes: attributesOf(span['attributes']),
    events: listOf(span['events'], 'events').map((event) => ({
      timeNs: nanosOf(event['timeUnixNano'], 'an event’s time'),
      name: checkText(event['name'], 'an event’s name'),
      attributes: attributesOf(event['attributes']),
    })),
    links: listOf(span['links'], 'links').map((link) => ({
      ...idsOf(link),
      attributes: attributesOf(link['attributes']),
    })),
    statusCode: enumOf(status['code'], 2, 'the status code'),
    statusMessage: checkText(status['message'], 'the status message'),
  };
}

function idsOf(plain: Plain): { traceId: string; spanId: string } {
  return {
    traceId: idOf(plain['traceId'], 16, 'the trace id') ?? missing('a trace id'),
    spanId: idOf(plain['spanId'], 8, 'the span id') ?? missing('a span id'),
  };
}

function missing(what: string): never {
  throw new RecordFault(`${what} is missing`);
}
