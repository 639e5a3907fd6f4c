import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from '@opentelemetry/otlp-exporter-base/node-http';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanDestination } from './span-queue.ts';

/** Spans are bytes already: nothing is left to serialize. */
const AS_THEY_ARE = {
  serializeRequest: (body: Uint8Array) => body,
  deserializeResponse: (body: Uint8Array) => ProtobufTraceSerializer.deserializeResponse(body),
};

/**
 * An OTLP/HTTP collector, with the tries, the bound on what is under way and the environment (`OTEL_EXPORTER_OTLP_HEADERS` and the
 * like) of the SDK's own exporter; what it does not take in the end is dropped.
 */
export function otlpDestination(url: string): SpanDestination {
  const options = convertLegacyHttpOptions({ url }, 'TRACES', 'v1/traces', {
    'Content-Type': 'application/x-protobuf',
  });
  const counted = { name: 'span', countItems: () => 0 } as const;
  const delegate = createOtlpHttpExportDelegate(options, AS_THEY_ARE, 'otlp_http_span_exporter', counted, undefined);
  return {
    offer: (body) => delegate.export(body, () => undefined),
    forceFlush: () => delegate.forceFlush(),
    shutdown: () => delegate.shutdown(),
  };
}
