import { hasAnyScope } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import { buildSubgraph } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import {
  exportAnswer,
  failureAnswer,
  type OtlpRequest,
  type Rejection,
  readOtlp,
  recordCount,
} from '../../lib/otlp/index.ts';
import type { HouseRoute, HouseRouteRequest, Subgraph } from '../../lib/subgraph.ts';
import type { TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { MeasuredAgent } from './entity/agent.ts';
import { Trace } from './entity/trace.ts';
import { metricsLoaders } from './loaders.ts';
import { AgentResolver } from './resolver/agent.ts';
import type { MetricsContext } from './resolver/context.ts';
import { MetricResolver, SeriesResolver } from './resolver/metric.ts';
import { SpanResolver, TraceResolver } from './resolver/trace.ts';
import { BottleneckService } from './service/bottlenecks.ts';
import { Intake } from './service/intake.ts';
import { MeasureService } from './service/measures.ts';
import { TraceService } from './service/traces.ts';
import { UsageService } from './service/usage.ts';
import { MetricStore } from './store/metrics.ts';
import { SampleStore } from './store/samples.ts';
import { SeriesStore } from './store/series.ts';
import { SpanStore } from './store/spans.ts';
import { prepareTables } from './store/tables.ts';
import { TraceStore } from './store/traces.ts';
import { UsageStore } from './store/usage.ts';
import { WorkStore } from './store/work.ts';

/** All it keeps is in the telemetry store. */
export const entities = [];

/** Metrics: what the fleet measures, its traces, and what its agents spend. */
export async function metricsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, cursors, settings, access } = runtime;
  // Absent only where nothing but the schema is asked for.
  const telemetry = runtime.telemetry as TelemetryStore;
  const { FLEET_TELEMETRY_PENDING_BYTES: maxPendingBytes } = settings;
  const stores = {
    spans: new SpanStore(telemetry, clock, maxPendingBytes),
    traces: new TraceStore(telemetry),
    metrics: new MetricStore(telemetry),
  };
  const samples = new SampleStore(telemetry, clock, maxPendingBytes);
  const intake = new Intake(samples, stores.spans, clock);
  const measures = new MeasureService(stores.metrics, new SeriesStore(telemetry), cursors, clock);
  const traces = new TraceService(stores.traces, cursors, clock);
  const usage = new UsageService(new UsageStore(telemetry), settings.FLEET_PRICES);
  const bottlenecks = new BottleneckService(new WorkStore(telemetry));
  return {
    name: 'metrics',
    schema: await buildSubgraph({
      resolvers: [MetricResolver, SeriesResolver, TraceResolver, SpanResolver, AgentResolver],
      orphanedTypes: [MeasuredAgent],
      access,
      references: {
        Agent: ({ id }) => MeasuredAgent.of(id as string),
        Trace: ({ traceId }) => Trace.of((traceId as string).toLowerCase()),
      },
    }),
    context: (call): MetricsContext => ({
      call,
      nowMs: clock.nowMs(),
      intake,
      measures,
      traces,
      loaders: metricsLoaders(stores, usage, bottlenecks),
    }),
    routes: {
      'POST /v1/metrics': otlpRoute('metrics', (request, { call }) => intake.metrics(request, call.principal)),
      'POST /v1/traces': otlpRoute('traces', (request, { call }) => intake.traces(request, call.principal)),
    },
    async start() {
      await prepareTables(telemetry, settings.FLEET_METRIC_RETENTION_DAYS);
      await samples.start();
    },
    async stop() {
      await Promise.all([samples.stop(), stores.spans.stop()]);
    },
    ready: () => telemetry.ready(),
  };
}

/** Scopes that may send telemetry. */
const SENDERS = ['agent', 'operator'];

type Take = (request: OtlpRequest, from: HouseRouteRequest) => Promise<Rejection[]>;

function otlpRoute(signal: 'metrics' | 'traces', take: Take): HouseRoute {
  return async (request) => {
    try {
      if (!hasAnyScope(request.call.principal, SENDERS)) {
        throw new FleetError('FORBIDDEN', 'sending telemetry needs the scope agent or operator');
      }
      const read = await readOtlp(signal, request);
      return exportAnswer(signal, read.encoding, await take(read, request), recordCount(signal, read.message));
    } catch (error) {
      return failureAnswer(error, request.headers['content-type']);
    }
  };
}
