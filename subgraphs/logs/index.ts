import { hasAnyScope } from '../../lib/call/principal.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import { exportAnswer, failureAnswer, readOtlp, recordCount } from '../../lib/otlp/index.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { absentTelemetryStore, GroupedInserter } from '../../lib/telemetry-store/index.ts';
import { Worker } from '../../lib/worker.ts';
import { Agent, Alert, RetentionPolicy, Trace } from './entity/index.ts';
import { logLoaders } from './loaders.ts';
import {
  AgentLogsResolver,
  AlertLogsResolver,
  AnalysisResolver,
  BesideResolver,
  exportRoute,
  type LogContext,
  LogsResolver,
  PatternResolver,
  RetentionResolver,
  ScanResolver,
  TraceLogsResolver,
} from './resolver/index.ts';
import { Analysis } from './service/analysis.ts';
import { Exports } from './service/export.ts';
import { LogService } from './service/index.ts';
import { Ingest } from './service/ingest.ts';
import { Retention } from './service/retention.ts';
import { Tails } from './service/tail.ts';
import {
  AnalysisStore,
  LOG_COLUMNS,
  LogReader,
  LogStore,
  type NewLogRow,
  RetentionStore,
  SweepStore,
} from './store/index.ts';

export const entities = [RetentionPolicy];

const DAY_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;
const INGEST_SCOPES = ['agent', 'operator'];

/** Logs: taken in durably, searched in one language, followed live, kept as long as policies say. */
export async function logsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, cursors, database, flags, log, settings, writes } = runtime;
  const telemetry = runtime.telemetry ?? absentTelemetryStore();
  const { FLEET_LOG_SEARCH_MS: maxMs, FLEET_LOG_SEARCH_BYTES: maxMemoryBytes } = settings;
  const reader = new LogReader(telemetry, { maxMs, maxMemoryBytes });
  const store = new LogStore(telemetry, reader);
  const policies = new RetentionStore(database);
  const inserter: GroupedInserter<NewLogRow> = new GroupedInserter<NewLogRow>({
    store: telemetry,
    into: LOG_COLUMNS,
    clock,
    stamped: true,
    batched: true,
    isGrouping: () => flags.isOn('logs.insert-grouping'),
    onGroup: (group) => tails.take(group),
  });
  const tails = new Tails(store, inserter, cursors, () => policies.sweptStamp());
  const keepMs = settings.FLEET_LOG_RETENTION_DAYS * DAY_MS;
  const retention = new Retention(policies, new SweepStore(telemetry), writes, clock, keepMs);
  const ingest = new Ingest(inserter, clock);
  const analysis = new Analysis(new AnalysisStore(reader), clock, settings.FLEET_LOG_PATTERN_ROWS);
  const exports = new Exports(store, inserter, clock, settings.FLEET_LOG_EXPORT_ROWS);
  const service = new LogService({ store, tails, ingest, retention, analysis, mark: inserter, cursors, clock });
  const sweeper = new Worker(
    async () => {
      if (flags.isOn('logs.retention')) await retention.sweep();
      return false;
    },
    SWEEP_EVERY_MS,
    (error) => log.warn('logs.retention.waits', { error: messageOf(error) }),
  );
  return {
    name: 'logs',
    schema: await buildSubgraph({
      resolvers: [
        LogsResolver,
        ScanResolver,
        BesideResolver,
        AnalysisResolver,
        PatternResolver,
        RetentionResolver,
        AgentLogsResolver,
        TraceLogsResolver,
        AlertLogsResolver,
      ],
      orphanedTypes: [Agent, Trace, Alert],
      access: runtime.access,
      references,
    }),
    context: (call): LogContext => ({ call, service, loaders: logLoaders(service) }),
    routes: { 'POST /v1/logs': otlpRoute(ingest), 'GET /v1/logs/export': exportRoute(exports) },
    async start() {
      await store.migrate();
      const { stamp, batches } = await store.resumption(clock.nowMs());
      inserter.resume(stamp, batches);
      tails.open();
      sweeper.start();
    },
    async stop() {
      tails.stop();
      await sweeper.stop();
      await inserter.close();
    },
    ready: () => telemetry.ready(),
  };
}

const references: Record<string, ReferenceResolver> = {
  LogEntry: ({ id }, { loaders }: LogContext) => {
    const read = readNodeId(String(id));
    return read?.type === 'LogEntry' ? loaders.entry.load(read.uuid) : null;
  },
  Agent: ({ id }) => Agent.of(String(id)),
  Trace: ({ traceId }) => Trace.of(String(traceId)),
  Alert: ({ id, startedAt, agent }) =>
    Object.assign(new Alert(), { id, agent, ...(startedAt ? { startedAt: new Date(String(startedAt)) } : {}) }),
};

/** OTLP/HTTP: 200 once the records are durable; each that is refused is told with its reason. */
function otlpRoute(ingest: Ingest): HouseRoute {
  return async (request) => {
    try {
      if (!hasAnyScope(request.call.principal, INGEST_SCOPES)) {
        throw new FleetError('FORBIDDEN', 'your scopes do not open /v1/logs: it takes agent or operator');
      }
      const read = await readOtlp('logs', request);
      return exportAnswer(
        'logs',
        read.encoding,
        await ingest.otlp(read, request.call.principal),
        recordCount('logs', read.message),
      );
    } catch (error) {
      return failureAnswer(error, request.headers['content-type']);
    }
  };
}
