import { hasAnyScope } from '../../lib/call/principal.ts';
import { FleetError, messageOf } from '../../lib/errors.ts';
import { buildSubgraph, type ReferenceResolver } from '../../lib/federation.ts';
import type { HouseRuntime } from '../../lib/house.ts';
import { readNodeId } from '../../lib/node-id.ts';
import { exportAnswer, failureAnswer, readOtlp, recordCount } from '../../lib/otlp/index.ts';
import type { HouseRoute, Subgraph } from '../../lib/subgraph.ts';
import { absentTelemetryStore, GroupedInserter } from '../../lib/telemetry-store/index.ts';
import { Worker } from '../../lib/worker.ts';
import { Agent, Alert, ErrorResolution, RetentionPolicy, Trace } from './entity/index.ts';
import { logLoaders } from './loaders.ts';
import {
  AgentLogsResolver,
  AlertLogsResolver,
  ErrorGroupResolver,
  type LogContext,
  LogEntryErrorResolver,
  LogsResolver,
  RetentionResolver,
  TraceLogsResolver,
} from './resolver/index.ts';
import { ErrorGroups } from './service/error-groups.ts';
import { ErrorResolutions } from './service/error-resolutions.ts';
import { LogService } from './service/index.ts';
import { Ingest } from './service/ingest.ts';
import { Retention } from './service/retention.ts';
import { Tails } from './service/tail.ts';
import {
  ErrorGroupStore,
  ErrorResolutionStore,
  LOG_COLUMNS,
  LogStore,
  type NewLogRow,
  RetentionStore,
  SweepStore,
} from './store/index.ts';

export const entities = [ErrorResolution, RetentionPolicy];

const DAY_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 10 * 60_000;
const INGEST_SCOPES = ['agent', 'operator'];

/** Logs: taken in durably, searched in one language, followed live, kept as long as policies say. */
export async function logsSubgraph(runtime: HouseRuntime): Promise<Subgraph> {
  const { clock, cursors, database, flags, log, settings, writes } = runtime;
  const telemetry = runtime.telemetry ?? absentTelemetryStore();
  const store = new LogStore(telemetry);
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
  const service = new LogService({ store, tails, ingest, retention, mark: inserter, cursors, clock });
  const errorStore = new ErrorGroupStore(telemetry);
  const resolved = new ErrorResolutionStore(database);
  const groups = new ErrorGroups(errorStore, resolved, inserter, cursors, clock);
  const errors = { groups, resolutions: new ErrorResolutions(groups, resolved, writes, clock) };
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
        ErrorGroupResolver,
        LogEntryErrorResolver,
        RetentionResolver,
        AgentLogsResolver,
        TraceLogsResolver,
        AlertLogsResolver,
      ],
      orphanedTypes: [Agent, Trace, Alert],
      access: runtime.access,
      references,
    }),
    context: (call): LogContext => ({ call, service, errors, loaders: logLoaders(service, groups) }),
    routes: { 'POST /v1/logs': otlpRoute(ingest) },
    async start() {
      await store.migrate();
      await errorStore.migrate();
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
