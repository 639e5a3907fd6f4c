import { hasAnyScope, systemPrincipal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import { exportAnswer, failureAnswer, unpacked, unpackOtlp } from '../../lib/otlp/index.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { absentTelemetryStore, BlockInserter, COLD_POLICY } from '../../lib/telemetry-store/index.ts';
import { Worker } from '../../lib/worker.ts';
import { Agent, Alert, ErrorResolution, RetentionPolicy, Trace } from './entity/index.ts';
import { logLoaders } from './loaders.ts';
import {
  AgentLogsResolver,
  AlertLogsResolver,
  AnalysisResolver,
  BesideResolver,
  ErrorGroupChangeResolver,
  ErrorGroupResolver,
  exportRoute,
  type LogContext,
  LogEntryErrorResolver,
  LogsResolver,
  PatternResolver,
  RetentionPayloadResolver,
  RetentionPolicyResolver,
  RetentionResolver,
  ScanResolver,
  TraceLogsResolver,
} from './resolver/index.ts';
import { Analysis } from './service/analysis.ts';
import { bridgesOf } from './service/bridge/index.ts';
import { ErrorGroups } from './service/error-groups.ts';
import { ErrorResolutions } from './service/error-resolutions.ts';
import { ErrorWatch } from './service/error-watch.ts';
import { Exports } from './service/export.ts';
import { LogService } from './service/index.ts';
import { Ingest } from './service/ingest.ts';
import { redactorOf } from './service/redaction.ts';
import { Retention, type RetentionPlaces } from './service/retention.ts';
import { Sweep } from './service/sweep.ts';
import { SyslogListener } from './service/syslog/listener.ts';
import { Tails } from './service/tail.ts';
import {
  AnalysisStore,
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

export const entities = [ErrorResolution, RetentionPolicy];

const DAY_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;
/** The service of lines that name none. */
const SERVICE_HEADER = 'x-fleet-service';
const INGEST_SCOPES = ['agent', 'operator'];

/** Logs: taken in durably, searched in one language, followed live, kept as long as policies say. */
export async function logsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, cursors, database, flags, log, settings, writes } = runtime;
  const telemetry = runtime.telemetry ?? absentTelemetryStore();
  const { FLEET_LOG_SEARCH_MS: maxMs, FLEET_LOG_SEARCH_BYTES: maxMemoryBytes } = settings;
  const { FLEET_TELEMETRY_PENDING_BYTES: maxPendingBytes } = settings;
  const coldPolicy = settings.FLEET_COLD_URL ? COLD_POLICY : settings.FLEET_COLD_POLICY;
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
  const analysis = new Analysis(new AnalysisStore(reader), clock, settings.FLEET_LOG_PATTERN_ROWS);
  const exports = new Exports(store, inserter, clock, settings.FLEET_LOG_EXPORT_ROWS);
  const service = new LogService({ store, tails, ingest, retention, analysis, mark: inserter, cursors, clock });
  const errorStore = new ErrorGroupStore(telemetry);
  const errors = errorsOf(runtime, errorStore, inserter);
  const bridges = bridgesOf(runtime);
  const syslog = new SyslogListener((lines) => ingest.said(lines, systemPrincipal('syslog')), log);
  const sweeper = sweeperOf(runtime, new Sweep({ retention, policies, store: sweeps, writes }));
  return {
    name: 'logs',
    schema: await buildSubgraph({
      resolvers: RESOLVERS,
      orphanedTypes: [Agent, Trace, Alert],
      access: runtime.access,
      references,
    }),
    context: (call): LogContext => ({ call, service, errors, loaders: logLoaders(service, errors.groups) }),
    routes: {
      'POST /v1/logs': otlpRoute(ingest),
      'POST /v1/logs/lines': linesRoute(ingest),
      'GET /v1/logs/export': exportRoute(exports),
    },
    async start() {
      await store.migrate();
      await errorStore.migrate();
      if (coldPolicy) await keepCold(telemetry, { policy: coldPolicy, afterDays: settings.FLEET_COLD_AFTER_DAYS });
      const { stamp, batches } = await store.resumption(clock.nowMs());
      inserter.resume(stamp, batches);
      tails.open();
      errors.watch.start();
      for (const bridge of bridges) bridge.start();
      sweeper.start();
      if (settings.FLEET_SYSLOG_PORT) await syslog.start(settings.FLEET_SYSLOG_PORT, settings.FLEET_SYSLOG_BIND);
    },
    async stop() {
      tails.stop();
      for (const bridge of bridges) await bridge.stop();
      await errors.watch.stop();
      if (settings.FLEET_SYSLOG_PORT) await syslog.stop();
      await sweeper.stop();
      await inserter.close();
    },
    ready: () => telemetry.ready(),
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
  RetentionPayloadResolver,
  RetentionPolicyResolver,
  RetentionResolver,
  AgentLogsResolver,
  TraceLogsResolver,
  AlertLogsResolver,
];

function errorsOf(runtime: HouseRuntime, store: ErrorGroupStore, mark: BlockInserter) {
  const { database, cursors, writes, clock, moments, events, log } = runtime;
  const [resolutions, watched] = [new ErrorResolutionStore(database), new ErrorWatchStore(database)];
  const groups = new ErrorGroups(store, resolutions, mark, moments, cursors, clock);
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

/** OTLP/HTTP: 200 once the records are durable; each that is refused is told with its reason. */
function otlpRoute(ingest: Ingest): HouseRoute {
  return async (request) => {
    try {
      checkScopes(request.call);
      const body = await unpackOtlp(request);
      const { principal, idempotencyKey } = request.call;
      const { records, rejected } = await ingest.otlp(body, idempotencyKey, principal);
      return exportAnswer('logs', body.encoding, rejected, records);
    } catch (error) {
      return failureAnswer(error, request.headers['content-type']);
    }
  };
}

/** Lines of files as they are, one record each; answered as OTLP/JSON is. */
function linesRoute(ingest: Ingest): HouseRoute {
  return async (request) => {
    try {
      const { principal, idempotencyKey } = request.call;
      checkScopes(request.call);
      const service = String(request.headers[SERVICE_HEADER] ?? '');
      if (!/^[\x20-\x7e]{0,256}$/.test(service)) {
        throw new FleetError('BAD_INPUT', `${SERVICE_HEADER} has at most 256 ASCII characters`);
      }
      const { records, rejected } = await ingest.lines(await unpacked(request), service, idempotencyKey, principal);
      return exportAnswer('logs', 'json', rejected, records);
    } catch (error) {
      return failureAnswer(error, 'application/json');
    }
  };
}

function checkScopes({ principal }: Call): void {
  if (hasAnyScope(principal, INGEST_SCOPES)) return;
  throw new FleetError('FORBIDDEN', 'your scopes do not open this: it takes agent or operator');
}
