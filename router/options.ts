import type { HouseClient } from '../lib/call/house-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Flags } from '../lib/flags/index.ts';
import type { Log } from '../lib/log.ts';
import type { JwtOptions } from './callers/jwt.ts';
import type { CoreOptions } from './core.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { DocumentsOptions } from './documents/documents.ts';
import type { DocumentLimits } from './guard/document-limits.ts';
import type { GuardLimits, SubgraphPolicy } from './guard/lane.ts';
import type { StaleLimits } from './guard/stale-answers.ts';
import type { IngestRoute } from './http/ingest.ts';
import type { SocketLimits } from './http/socket-admission.ts';
import type { StreamGateLimits } from './http/stream-gate.ts';
import type { QueueLimits } from './limits/fair-queue.ts';
import type { Rates } from './limits/rates.ts';
import type { ProxyDoor } from './proxy/proxy-door.ts';
import type { PortLimits } from './public-port.ts';
import type { CanaryRule } from './schema/swap-rules.ts';

/** Who may call, and who knows. Absent: the router is open to everybody, and must not leave this machine. */
export interface CallersOptions {
  adminToken?: string;
  /** The house that is asked about every other token. */
  house?: HouseClient;
  /** Where it is asked; `/internal/credentials` unless given. */
  path?: string;
  /** Issuers whose signed tokens are taken as well. */
  jwt?: JwtOptions;
}

/** How much is let through. */
export interface RouterLimits {
  /** Requests a second of the admin; of everybody together where there are no callers. Infinity: no limit. */
  adminPerSecond: number;
  /** Requests a second of a client without a rate of its own. */
  clientPerSecond: number;
  /** Largest body on /graphql, bytes. */
  maxBodyBytes: number;
  /** What else a client may do. */
  rates: Partial<Rates>;
  /** Classes and routes whose refusals are counted and told, and not made; `all` is every one. */
  dryRun: readonly string[];
  /** How many operations run at once, and who waits. */
  queue: Partial<QueueLimits>;
  /** Whether every answer tells its cost. */
  showsCost: boolean;
  /** How long a query or mutation may take as a whole, milliseconds; 15 s unless given. */
  operationMs: number;
  guard: Partial<GuardLimits>;
  /** What is kept to be served stale. */
  stale: Partial<StaleLimits>;
  document: Partial<DocumentLimits>;
  sockets: Partial<SocketLimits>;
  /** How fast streams are opened. */
  streams: Partial<StreamGateLimits>;
  /** Subscriptions that one client may have running. */
  streamsPerClient: number;
  port: Partial<PortLimits>;
  /** Requests that one body may have; 0: batches are not taken. */
  batch: number;
}

/** What the router's own fields need. */
export interface OwnOptions {
  /** Key of the cursors of `breakerChanged`; the same after a restart, so that an old cursor is told from a forged one. */
  cursorKey: Buffer;
  /** Node type → the subgraph that owns it, where the supergraph alone does not tell. */
  owners?: Readonly<Record<string, string>>;
}

/** How a new schema comes into service. */
export interface SchemaOptions {
  /** How it is tried first. */
  canary?: Partial<CanaryRule>;
  /** Where the operations of the last days are kept; in memory alone unless given. */
  operationsFile?: string | undefined;
}

/** Where subgraphs and their replicas are found. */
export interface DiscoveryOptions {
  sources?: readonly Discovery[];
  /** Keys of replicas that register themselves, the current one first; without any, none may. */
  registrationKeys?: readonly Buffer[];
}

export interface RouterOptions {
  supergraphSdl: string;
  clock: Clock;
  log: Log;
  /** Which features are on; the catalogue's defaults unless given. */
  flags?: Flags;
  /** 127.0.0.1 unless given. */
  host?: string;
  /** 0 takes a free one. */
  port?: number;
  /** Version that `router` tells. */
  version?: string;
  /** Signed clients by subgraph; a subgraph without one is called plainly at the address the supergraph gives. */
  houses?: Readonly<Record<string, HouseClient>>;
  /** Addresses of a subgraph that has several; the one the supergraph gives otherwise. */
  replicas?: Readonly<Record<string, readonly string[]>>;
  /** What a subgraph is to the whole: required, served stale, slower than others. */
  policies?: Readonly<Record<string, SubgraphPolicy>>;
  callers?: CallersOptions;
  /** Whether fields without an access rule are closed; they are whenever there are callers. */
  enforceAccess?: boolean;
  /** Whom denials, forced breakers and limits are written to. */
  audit?: HouseClient;
  /** Serves the subgraph `router` of the supergraph in this process; needs `audit`. */
  own?: OwnOptions;
  /** `POST /v1/logs` → which house takes it. */
  routes?: Readonly<Record<string, IngestRoute>>;
  /** Services behind the port that are no subgraphs; whoever made them ends them. */
  proxies?: readonly ProxyDoor[];
  /** A query over all subgraphs that must answer whole before the router is ready. */
  readyQuery?: string;
  /** False takes the page at `/` away; a folder's `.graphql` files become its tabs. */
  explorer?: false | { examples?: string };
  corsOrigins?: readonly string[];
  /** Names the port answers to beside loopback's; on loopback those alone unless given, elsewhere all. */
  allowedHosts?: readonly string[];
  discovery?: DiscoveryOptions;
  /** How a new schema comes into service while the router runs. */
  schema?: SchemaOptions;
  /** Operations known by name, and whether others run. */
  documents?: DocumentsOptions;
  limits?: Partial<RouterLimits>;
  redisUrl?: string;
  /** Where routers share their limits: redis:// or postgres://; `redisUrl` unless given. */
  limitStoreUrl?: string;
  /** From how long on an operation is logged as slow, milliseconds; Infinity, and unless given, none is. */
  slowOperationMs?: number;
  /** Share of requests without a trace of their own that are sampled, 0 to 1. */
  traceRatio?: number;
  /** The process's own figures for /metrics, in Prometheus' format, from whoever keeps them; the router's own otherwise. */
  metrics?: () => Promise<string>;
  heartbeatMs?: number;
  /** More for the core: planner, resumption, caches. */
  core?: Partial<
    Pick<CoreOptions, 'planner' | 'secondPlanner' | 'resumption' | 'pause' | 'cacheBytes' | 'eventsInFlight'>
  >;
}
