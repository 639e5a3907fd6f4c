import { standardFlags } from '../lib/flags/index.ts';
import { auditUnasked } from './audit/moves.ts';
import { AuditSpool } from './audit/spool.ts';
import { AuditTrail } from './audit/trail.ts';
import { Authenticator } from './callers/authenticator.ts';
import { houseDesk } from './callers/credential-desk.ts';
import { Denials } from './callers/denials.ts';
import { DoorKeeper } from './callers/door-keeper.ts';
import { JwtDesk } from './callers/jwt.ts';
import { UsageBook } from './callers/usage.ts';
import type { Registrar } from './discovery/registrar.ts';
import { Dispatch } from './dispatch.ts';
import { Documents } from './documents/documents.ts';
import type { Engine } from './engine.ts';
import { SharedCalls } from './execute/shared-calls.ts';
import { Explorer } from './explorer/explorer.ts';
import { assembleGuard } from './guard/assembly.ts';
import { DOCUMENT_LIMITS, DocumentGate } from './guard/document-limits.ts';
import type { Guard } from './guard/guard.ts';
import type { DrawCall } from './guard/lane.ts';
import { GraphqlDoor } from './http/graphql-door.ts';
import { Hosts } from './http/hosts.ts';
import { Listener } from './http/listener.ts';
import { LiveStreams } from './http/live-streams.ts';
import { Operations } from './http/operations.ts';
import { Readiness } from './http/readiness.ts';
import { SlowLog } from './http/slow-log.ts';
import { SOCKET_LIMITS, SocketAdmission } from './http/socket-admission.ts';
import { SocketDoor } from './http/websocket.ts';
import { noLongerThan } from './last-words.ts';
import { makeLimits } from './limits/assembly.ts';
import type { Limits } from './limits/limits.ts';
import { registerLimitMetrics } from './limits/metrics.ts';
import { QUEUE_LIMITS, Throttle } from './limits/throttle.ts';
import { RouterMetrics } from './metrics/metrics.ts';
import type { RouterOptions } from './options.ts';
import { PORT_LIMITS, PublicPort } from './public-port.ts';
import { assembleEngine, assembleSchema } from './schema/assembly.ts';
import type { SchemaDesk } from './schema/schema-desk.ts';

export type { CallersOptions, OwnOptions, RouterLimits, RouterOptions } from './options.ts';

const OWN_SUBGRAPH = 'router';
const MAX_BODY_BYTES = 1_000_000;
const OPERATION_MS = 15_000;
const ADMIN_PER_SECOND = 1_000;
/** How long what is still to be told elsewhere may take once nobody is served any more, milliseconds. */
const LAST_WORDS_MS = 1_000;
const CREDENTIALS_PATH = '/internal/credentials';

/** A router that listens. */
export interface ServedRouter {
  /** http://host:port */
  url: string;
  engine: Engine;
  guard: Guard;
  /** Changes the schema while it runs. */
  schema: SchemaDesk;
  /** Drains and ends it (STREAMS.md 4.6). */
  stop(): Promise<void>;
}

/**
 * Serves one supergraph on one public port.
 * @throws Error when the supergraph is none, or the port is taken
 */
export async function serveRouter(options: RouterOptions): Promise<ServedRouter> {
  const { clock, log } = options;
  const dispatch = new Dispatch();
  const flags = options.flags ?? standardFlags();
  const shared = new SharedCalls(dispatch, () => flags.isOn('router.dedup'));
  const engine = assembleEngine(options, shared);
  const outside = [...engine.subgraphs].filter(([subgraph]) => !options.own || subgraph !== OWN_SUBGRAPH);
  const limits = makeLimits(options);
  const drawCall: DrawCall = (subgraph, perSecond, weight) => limits.takeCall(subgraph, perSecond, weight);
  const { guard, close: closeGuard } = assembleGuard(outside, drawCall, options);
  dispatch.useGuard(guard);
  const keeper = new DoorKeeper(makeAuthenticator(options), options.limits?.adminPerSecond ?? ADMIN_PER_SECOND);
  const streams = new LiveStreams(keeper, clock, options.limits?.streams, options.limits?.streamsPerClient);
  const throttle = new Throttle({ ...QUEUE_LIMITS, ...options.limits?.queue }, clock);
  const usage = new UsageBook(clock);
  const trail = options.audit && new AuditTrail(options.audit, clock);
  const denied = trail && new AuditSpool(trail, log);
  const moved = trail && new AuditSpool(trail, log);
  const schema = assembleSchema(options, OWN_SUBGRAPH, { engine, guard, trail, spool: moved });
  if (options.own && trail && engine.subgraphs.has(OWN_SUBGRAPH)) {
    // Loaded only where it is served: with what it needs it takes as long to load as all the rest.
    const { assembleOwn } = require('./own/assembly') as typeof import('./own/assembly.ts');
    const rooms = { engine, guard, trail, limits, usage, streams, gate: makeGate(options) };
    dispatch.useInside(OWN_SUBGRAPH, assembleOwn(options, options.own, rooms));
  }
  const finisher = moved && auditUnasked(guard, flags, { spool: moved, trail, clock, log });
  const admission = new SocketAdmission({ ...SOCKET_LIMITS, ...options.limits?.sockets });
  const documents = new Documents(options.documents);
  const caches = () => ({ ...engine.caches, persisted: documents.size, stale: guard.staleCache });
  const metrics = new RouterMetrics(
    { engine, caches, guard, streams, shared, sockets: () => admission.authenticated, spool: denied },
    options.metrics === undefined,
    (sample) => (flags.isOn('router.adaptive-limit') ? throttle.noticed(sample) : throttle.relax()),
  );
  const denials = new Denials(denied, clock, () => metrics.denied());
  const port = openDoors({
    options,
    engine,
    guard,
    keeper,
    streams,
    documents,
    limits,
    throttle,
    usage,
    admission,
    metrics,
    denials,
    registrar: schema.registrar,
  });
  const url = await port.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  streams.start();
  registerLimitMetrics(metrics.registry, limits, throttle);
  schema.start(metrics.registry);
  metrics.start();
  for (const worker of [denied, moved, finisher]) worker?.start();
  return {
    url,
    engine,
    guard,
    schema: schema.desk,
    async stop() {
      await port.close(() => streams.stop());
      await noLongerThan(LAST_WORDS_MS, [schema.stop(), denied?.stop(), moved?.stop(), finisher?.stop()]);
      metrics.stop();
      limits.close();
      throttle.close();
      closeGuard();
    },
  };
}

interface Rooms {
  options: RouterOptions;
  engine: Engine;
  guard: Guard;
  keeper: DoorKeeper;
  streams: LiveStreams;
  documents: Documents;
  limits: Limits;
  throttle: Throttle;
  usage: UsageBook;
  admission: SocketAdmission;
  metrics: RouterMetrics;
  denials: Denials;
  registrar: Registrar | undefined;
}

/** Assembles what listens from what decides. */
function openDoors(rooms: Rooms): PublicPort {
  const { options, engine, guard, keeper, streams, admission, metrics, denials } = rooms;
  const { clock, log, heartbeatMs, traceRatio = 0, corsOrigins = [] } = options;
  const operations = new Operations({
    engine,
    documents: rooms.documents,
    gate: makeGate(options),
    limits: rooms.limits,
    usage: rooms.usage,
    throttle: rooms.throttle,
    flags: options.flags ?? standardFlags(),
    showsCost: options.limits?.showsCost ?? false,
    hasDryRuns: options.own !== undefined && engine.subgraphs.has(OWN_SUBGRAPH),
    log,
    slow: makeSlowLog(options, engine),
    nowMs: () => clock.nowMs(),
    timeoutMs: options.limits?.operationMs ?? OPERATION_MS,
    onReport(report) {
      metrics.operation(report);
      denials.inAnswer(report.answer, report.call);
    },
  });
  const maxBodyBytes = options.limits?.maxBodyBytes ?? MAX_BODY_BYTES;
  const graphql = new GraphqlDoor({
    operations,
    streams,
    limits: rooms.limits,
    maxBodyBytes,
    maxBatch: options.limits?.batch ?? 0,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
  });
  const hosts = new Hosts(options.host ?? '127.0.0.1', options.allowedHosts);
  const listener = new Listener({
    keeper,
    hosts,
    registrar: rooms.registrar,
    graphql,
    operations,
    readiness: makeReadiness(rooms),
    explorer: options.explorer === false ? undefined : new Explorer(options.explorer?.examples),
    guard,
    limits: rooms.limits,
    houses: options.houses ?? {},
    routes: options.routes ?? {},
    proxies: options.proxies ?? [],
    metrics: async () => ({
      text: [await metrics.registry.metrics(), (await options.metrics?.()) ?? ''].join(''),
      contentType: metrics.registry.contentType,
    }),
    corsOrigins,
    clock,
    log,
    traceRatio,
    onAnswered: (route, status) => metrics.response(route, status),
    onDenied: (call, route, reason) => denials.add(call, route, reason),
  });
  const sockets = new SocketDoor({
    engine,
    operations,
    keeper,
    streams,
    admission,
    corsOrigins,
    clock,
    traceRatio,
    onDenied: (call, reason) => denials.add(call, '/graphql', reason),
    ...(heartbeatMs === undefined ? {} : { pingMs: heartbeatMs }),
  });
  return new PublicPort(listener, sockets, hosts, maxBodyBytes, { ...PORT_LIMITS, ...options.limits?.port });
}

/** Houses are waited for where a query says that they belong to the start. */
function makeReadiness({ engine, guard, options: { clock, readyQuery, houses = {} } }: Rooms): Readiness {
  const awaited = readyQuery === undefined ? [] : Object.values(houses);
  return new Readiness({ engine, guard, clock, readyQuery, houses: awaited });
}

function makeGate({ limits }: RouterOptions): DocumentGate {
  return new DocumentGate({ ...DOCUMENT_LIMITS, ...limits?.document });
}

function makeSlowLog({ log, slowOperationMs: thresholdMs }: RouterOptions, engine: Engine): SlowLog | undefined {
  return thresholdMs === undefined ? undefined : new SlowLog({ engine, log, thresholdMs });
}

function makeAuthenticator({ callers, clock, log, limits }: RouterOptions): Authenticator | undefined {
  if (!callers) return undefined;
  const { adminToken, house, path, jwt } = callers;
  return new Authenticator({
    adminToken,
    desk: house && houseDesk(house, path ?? CREDENTIALS_PATH, clock),
    jwt: jwt && new JwtDesk(jwt, clock, log),
    clock,
    adminPerSecond: limits?.adminPerSecond ?? ADMIN_PER_SECOND,
  });
}
