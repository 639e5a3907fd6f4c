import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { GraphQLInstrumentation } from '@opentelemetry/instrumentation-graphql';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { SendingExporter, type SendSpans } from './exporter.ts';
import { takeLightSpans } from './light-span.ts';
import { otlpDestination } from './otlp-destination.ts';
import { SpanQueue } from './span-queue.ts';

export interface TracingOptions {
  /** `service.name` of this process. */
  service: string;
  /** Tells apart processes of the same service. */
  instance?: string;
  /** Share of traces begun here that are recorded, 0 to 1. What comes with a sampled `traceparent` always is, else never. */
  ratio: number;
  /** Takes our spans as OTLP/JSON, e.g. by a signed call to the metrics house. */
  send?: SendSpans;
  /** An OTLP/HTTP address that gets them too. */
  endpoint?: string | undefined;
  /** False: only what `withTraceparent` wraps; a process that runs no GraphQL of its own and no SQL pays for no hooks. */
  hooks?: boolean;
  /** How long a span waits for company, milliseconds. */
  lingerMs?: number;
}

/** Tracing that runs. */
export interface Tracing {
  /** Sends what waits. */
  flush(): Promise<void>;
  /** Sends what waits and ends tracing. */
  stop(): Promise<void>;
}

const MAX_WAITING = 8_192;
const MAX_BATCH = 512;
/** Light spans take less room, and a request to the collector costs as much as a hundred of them. */
const MAX_LIGHT_BATCH = 2_048;

/**
 * Starts tracing of this process: GraphQL execution, SQL, and what `withTraceparent` wraps. Must run before anything loads
 * `graphql` or `pg`: hooks patch modules as they load. Spans wait in a bounded queue; beyond it they are dropped.
 */
export function startTracing(options: TracingOptions): Tracing {
  const { service, instance, ratio, send, endpoint, hooks = true, lingerMs = 1_000 } = options;
  const own = send && new SendingExporter(send);
  const exporters: SpanExporter[] = [
    ...(own ? [own] : []),
    ...(endpoint ? [new OTLPTraceExporter({ url: endpoint })] : []),
  ];
  const queue = { maxQueueSize: MAX_WAITING, maxExportBatchSize: MAX_BATCH, scheduledDelayMillis: lingerMs };
  const attributes = { 'service.name': service, ...(instance ? { 'service.instance.id': instance } : {}) };
  const resource = resourceFromAttributes(attributes);
  const provider = new NodeTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: exporters.map((exporter) => new BatchSpanProcessor(exporter, queue)),
  });
  provider.register();
  const light = new SpanQueue({
    destinations: [...(own ? [own] : []), ...(endpoint ? [otlpDestination(endpoint)] : [])],
    resource: attributes,
    maxBatch: MAX_LIGHT_BATCH,
    lingerMs,
  });
  takeLightSpans((span) => light.push(span));
  const unregister = registerInstrumentations({
    tracerProvider: provider,
    instrumentations: hooks
      ? [
          new GraphQLInstrumentation({ ignoreTrivialResolveSpans: true, mergeItems: true, depth: 2 }),
          // Sequencers and relays poll: their statements would be traces of their own.
          new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
        ]
      : [],
  });
  return {
    async flush() {
      await Promise.all([provider.forceFlush(), light.forceFlush()]);
    },
    async stop() {
      unregister();
      takeLightSpans(undefined);
      own?.lastCall();
      // What cannot be handed over now is given up: a process that ends must not fail for the sake of its spans.
      await Promise.allSettled([provider.forceFlush(), light.forceFlush()]);
      await Promise.allSettled([provider.shutdown(), light.shutdown()]);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}
