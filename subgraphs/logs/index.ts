import { hasAnyScope, systemPrincipal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import { exportAnswer, failureAnswer, unpacked, unpackOtlp } from '../../lib/otlp/index.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { absentTelemetryStore, BlockInserter } from '../../lib/telemetry-store/index.ts';
import { Worker } from '../../lib/worker.ts';
import { Agent, Alert, RetentionPolicy, Trace } from './entity/index.ts';
import { logLoaders } from './loaders.ts';
import {
  AgentLogsResolver,
  AlertLogsResolver,
  type LogContext,
  LogsResolver,
  RetentionResolver,
  TraceLogsResolver,
} from './resolver/index.ts';
import { LogService } from './service/index.ts';
import { Ingest } from './service/ingest.ts';
import { redactorOf } from './service/redaction.ts';
import { Retention } from './service/retention.ts';
import { SyslogListener } from './service/syslog/listener.ts';
import { Tails } from './service/tail.ts';
import { LOG_COLUMNS, LOG_TYPES, LogStore, RetentionStore, SweepStore } from './store/index.ts';

export const entities = [RetentionPolicy];

const DAY_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;
/** The service of lines that name none. */
const SERVICE_HEADER = 'x-fleet-service';
const INGEST_SCOPES = ['agent', 'operator'];

/** Logs: taken in durably, searched in one language, followed live, kept as long as policies say. */
export async function logsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, cursors, database, flags, log, settings, writes } = runtime;
  const telemetry = runtime.telemetry ?? absentTelemetryStore();
  const store = new LogStore(telemetry);
  const policies = new RetentionStore(database);
  const inserter: BlockInserter = new BlockInserter({
    store: telemetry,
    into: LOG_COLUMNS,
    columns: LOG_TYPES,
    clock,
    isGrouping: () => flags.isOn('logs.insert-grouping'),
    onGroup: (group) => tails.take(group),
  });
  const tails = new Tails(store, inserter, cursors, () => policies.sweptStamp());
  const keepMs = settings.FLEET_LOG_RETENTION_DAYS * DAY_MS;
  const retention = new Retention(policies, new SweepStore(telemetry), writes, clock, keepMs);
  const ingest = new Ingest(inserter, redactorOf(settings, runtime.registry), clock);
  const service = new LogService({ store, tails, ingest, retention, mark: inserter, cursors, clock });
  const syslog = new SyslogListener((lines) => ingest.said(lines, systemPrincipal('syslog')), log);
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
      resolvers: [LogsResolver, RetentionResolver, AgentLogsResolver, TraceLogsResolver, AlertLogsResolver],
      orphanedTypes: [Agent, Trace, Alert],
      access: runtime.access,
      references,
    }),
    context: (call): LogContext => ({ call, service, loaders: logLoaders(service) }),
    routes: { 'POST /v1/logs': otlpRoute(ingest), 'POST /v1/logs/lines': linesRoute(ingest) },
    async start() {
      await store.migrate();
      const { stamp, batches } = await store.resumption(clock.nowMs());
      inserter.resume(stamp, batches);
      tails.open();
      sweeper.start();
      if (settings.FLEET_SYSLOG_PORT) await syslog.start(settings.FLEET_SYSLOG_PORT, settings.FLEET_SYSLOG_BIND);
    },
    async stop() {
      tails.stop();
      if (settings.FLEET_SYSLOG_PORT) await syslog.stop();
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
      checkScopes(request.call);
      const body = await unpackOtlp(request);
      const { records, rejected } = await ingest.otlp(body, request.call.principal);
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
