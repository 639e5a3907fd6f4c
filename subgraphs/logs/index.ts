import { systemPrincipal } from '../../lib/call/principal.ts';
import { messageOf } from '../../lib/errors.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import type { Subgraph } from '../../lib/subgraph.ts';
import { absentTelemetryStore, BlockInserter, COLD_POLICY } from '../../lib/telemetry-store/index.ts';
import { Worker } from '../../lib/worker.ts';
import { Agent, Alert, ErrorResolution, LogMetric, RetentionPolicy, SavedLogSearch, Trace } from './entity/index.ts';
import { logLoaders } from './loaders.ts';
import {
  AgentLogsResolver,
  AlertLogsResolver,
  AnalysisResolver,
  BesideResolver,
  ErrorGroupChangeResolver,
  ErrorGroupResolver,
  exportRoute,
  ingestRoutes,
  type LogContext,
  LogEntryErrorResolver,
  LogMetricResolver,
  LogsResolver,
  PatternResolver,
  RetentionPayloadResolver,
  RetentionPolicyResolver,
  RetentionResolver,
  SavedSearchResolver,
  ScanResolver,
  TraceLogsResolver,
} from './resolver/index.ts';
import { bridgesOf } from './service/bridge/index.ts';
import { ErrorGroups } from './service/error-groups.ts';
import { ErrorResolutions } from './service/error-resolutions.ts';
import { ErrorWatch } from './service/error-watch.ts';
import { LogService } from './service/index.ts';
import { Ingest } from './service/ingest.ts';
import { readsOf } from './service/reads.ts';
import { redactorOf } from './service/redaction.ts';
import { Retention, type RetentionPlaces } from './service/retention.ts';
import type { SavedSearches } from './service/saved-searches.ts';
import { Sweep } from './service/sweep.ts';
import { SyslogListener } from './service/syslog/listener.ts';
import { Tails } from './service/tail.ts';
import {
  ErrorGroupStore,
  ErrorResolutionStore,
  ErrorWatchStore,
  keepCold,
  LOG_COLUMNS,
  LOG_TYPES,
  LogReader,
  LogStore,
  RetentionStore,
  SweepStore,
} from './store/index.ts';

export const entities = [ErrorResolution, LogMetric, RetentionPolicy, SavedLogSearch];

const DAY_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;

/** Logs: taken in durably, searched in one language, followed live, kept as long as policies say. */
export async function logsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, log, settings } = runtime;
  const { telemetry, store, errorStore, inserter, tails, ingest, service, errors, metrics, exports, ...parts } =
    partsOf(runtime);
  const { FLEET_SYSLOG_PORT: port, FLEET_SYSLOG_BIND: address, FLEET_COLD_AFTER_DAYS: afterDays } = settings;
  const policy = settings.FLEET_COLD_URL ? COLD_POLICY : settings.FLEET_COLD_POLICY;
  const syslog = new SyslogListener((lines) => ingest.said(lines, systemPrincipal('syslog')), log);
  return {
    name: 'logs',
    schema: await buildSubgraph({
      resolvers: RESOLVERS,
      orphanedTypes: [Agent, Trace, Alert],
      access: runtime.access,
      references,
    }),
    context: (call): LogContext => {
      const loaders = logLoaders(service, errors.groups, metrics);
      return { call, service, errors, metrics, loaders };
    },
    routes: { ...ingestRoutes(ingest), 'GET /v1/logs/export': exportRoute(exports) },
    async start() {
      await store.migrate();
      await errorStore.migrate();
      if (policy) await keepCold(telemetry, { policy, afterDays });
      const { stamp, batches } = await store.resumption(clock.nowMs());
      inserter.resume(stamp, batches);
      tails.open();
      for (const worker of [errors.watch, ...parts.bridges, parts.sweeper, metrics]) worker.start();
      if (port) await syslog.start(port, address);
    },
    async stop() {
      tails.stop();
      for (const worker of [...parts.bridges, errors.watch]) await worker.stop();
      if (port) await syslog.stop();
      for (const worker of [parts.sweeper, metrics]) await worker.stop();
      await inserter.close();
    },
    ready: () => telemetry.ready(),
  };
}

/** What the house is made of. */
function partsOf(runtime: HouseRuntime) {
  const { clock, cursors, database, flags, settings, writes } = runtime;
  const telemetry = runtime.telemetry ?? absentTelemetryStore();
  const { FLEET_LOG_SEARCH_MS: maxMs, FLEET_LOG_SEARCH_BYTES: maxMemoryBytes } = settings;
  const { FLEET_TELEMETRY_PENDING_BYTES: maxPendingBytes } = settings;
  const reader = new LogReader(telemetry, { maxMs, maxMemoryBytes });
  const store = new LogStore(telemetry, reader);
  const policies = new RetentionStore(database);
  const sweeps = new SweepStore(telemetry, reader);
  const inserter: BlockInserter = new BlockInserter({
    store: telemetry,
    into: LOG_COLUMNS,
    columns: LOG_TYPES,
    clock,
    maxPendingBytes,
    isGrouping: () => flags.isOn('logs.insert-grouping'),
    onGroup: (group) => {
      tails.take(group);
      errors.watch.wake();
    },
  });
  const tails = new Tails(store, inserter, cursors, () => policies.sweptStamp());
  const asked = new SweepStore(telemetry, reader, maxMs);
  const retention = retentionOf(runtime, { policies, store: sweeps, asked, mark: inserter });
  const ingest = new Ingest(inserter, redactorOf(settings, runtime.registry), clock, {
    disk: () => telemetry.disk,
    maxPendingBytes,
  });
  const { metrics, ...reads } = readsOf(runtime, reader, store, inserter);
  const service = new LogService({ store, tails, ingest, retention, ...reads, mark: inserter, cursors, clock });
  const errorStore = new ErrorGroupStore(telemetry);
  const errors = errorsOf(runtime, errorStore, reads.searches, inserter);
  const sweeper = sweeperOf(runtime, new Sweep({ retention, policies, store: sweeps, writes }));
  return {
    ...{ telemetry, store, errorStore, inserter, tails, ingest, service, errors, metrics },
    ...{ exports: reads.exports, bridges: bridgesOf(runtime), sweeper },
  };
}

const RESOLVERS: Parameters<typeof buildSubgraph>[0]['resolvers'] = [
  LogsResolver,
  ErrorGroupResolver,
  ErrorGroupChangeResolver,
  ScanResolver,
  BesideResolver,
  AnalysisResolver,
  PatternResolver,
  LogEntryErrorResolver,
  LogMetricResolver,
  RetentionPayloadResolver,
  RetentionPolicyResolver,
  RetentionResolver,
  SavedSearchResolver,
  AgentLogsResolver,
  TraceLogsResolver,
  AlertLogsResolver,
];

function errorsOf(runtime: HouseRuntime, store: ErrorGroupStore, searches: SavedSearches, mark: BlockInserter) {
  const { database, cursors, writes, clock, moments, events, log } = runtime;
  const [resolutions, watched] = [new ErrorResolutionStore(database), new ErrorWatchStore(database)];
  const groups = new ErrorGroups(store, resolutions, searches, mark, moments, cursors, clock);
  return {
    groups,
    resolutions: new ErrorResolutions(groups, resolutions, watched, writes, clock),
    watch: new ErrorWatch({ store, groups, resolutions, watched, writes, events, mark, clock, log }),
  };
}

function retentionOf({ settings, writes, clock }: HouseRuntime, parts: RetentionPlaces): Retention {
  const defaultKeepMs = settings.FLEET_LOG_RETENTION_DAYS * DAY_MS;
  return new Retention({ ...parts, writes, clock, defaultKeepMs, totalBytes: settings.FLEET_LOG_MAX_BYTES ?? null });
}

function sweeperOf({ flags, log }: HouseRuntime, sweep: Sweep): Worker {
  return new Worker(
    async () => {
      if (flags.isOn('logs.retention')) await sweep.run();
      return false;
    },
    SWEEP_EVERY_MS,
    (error) => log.warn('logs.retention.waits', { error: messageOf(error) }),
  );
}

const references: Record<string, ReferenceResolver> = {
  LogEntry: ({ id }, { loaders }: LogContext) => {
    const read = readNodeId(String(id));
    return read?.type === 'LogEntry' ? loaders.entry.load(read.uuid) : null;
  },
  ErrorGroup: ({ id }, { loaders }: LogContext) => {
    const read = readNodeId(String(id));
    return read?.type === 'ErrorGroup' ? loaders.errorGroup.load(read.uuid) : null;
  },
  Agent: ({ id }) => Agent.of(String(id)),
  Trace: ({ traceId }) => Trace.of(String(traceId)),
  Alert: ({ id, startedAt, agent }) =>
    Object.assign(new Alert(), { id, agent, ...(startedAt ? { startedAt: new Date(String(startedAt)) } : {}) }),
};
