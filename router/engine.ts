import type { DocumentNode, GraphQLFormattedError, GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Call } from '../lib/call/signing.ts';
import type { STALE_MS } from './degradation.ts';
import type { FetchRecord } from './execute/fetch-record.ts';
import type { Written } from './execute/written.ts';
import type { LeaveSignal } from './leave-signal.ts';
import type { PlanNode } from './plan/description.ts';
import type { StreamBatch } from './subscribe/stream-batch.ts';

/** What a client sends, whatever the transport. */
export interface GraphRequest {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown>;
  /** Whether the client asks for `extensions.cost`. */
  wantsCost?: boolean;
  /** Whether a refusal may name what is near ("Did you mean"): the caller may read the schema. */
  suggests?: boolean;
}

/** What a client or the router gets back. Without `data` the request was refused before it ran. */
export interface GraphAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
  /** Set by the guard on an answer that is not fresh: its age, milliseconds. */
  [STALE_MS]?: number;
}

/** An answer that ran, with its data written as JSON already. */
export interface WrittenAnswer {
  data: Written | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/** Either form: told apart by `data instanceof Written`. */
export type AnyAnswer = GraphAnswer | WrittenAnswer;

/** One item of a stream. `id` is its cursor; an item without an answer is a bookmark or, without an id too, a heartbeat. */
export interface StreamItem<A extends AnyAnswer = GraphAnswer> {
  id?: string;
  answer?: A;
  /** Nothing could be heard of the upstream for a while: what the reader has may be old. */
  isStale?: true;
}

/** How the core reaches a subgraph. The guard (limits, breaker, time) implements it around HTTP; the router's own subgraph is one more. */
export interface SubgraphCaller {
  /**
   * Runs one query or mutation. A subgraph's own errors come back in the answer.
   * @throws FleetError SUBGRAPH_UNAVAILABLE, TIMEOUT, RATE_LIMITED, …: becomes one error per affected field, which is null
   */
  execute(subgraph: string, request: GraphRequest, call: Call, signal?: LeaveSignal): Promise<GraphAnswer>;
  /**
   * Opens a stream after `call.lastEventId`, or from where the operation's arguments say. Returning means it completed.
   * @throws anything when the upstream is lost before its `complete`; the core resumes by cursor. A FleetError that is not
   * retryable ends the stream with that error.
   */
  subscribe(subgraph: string, request: GraphRequest, call: Call, signal: AbortSignal): AsyncIterable<StreamItem>;
}

/** A parsed, validated and planned operation with its coerced variables: ready to run, any number of times, for any caller. */
export interface Prepared {
  readonly kind: `${OperationTypeNode}`;
  /** The operation's own name, if it has one. */
  readonly name: string | undefined;
  /** Root fields' schema names in document order, for classes of limits and for metrics. */
  readonly rootFields: readonly string[];
  /** The client's document, for cost. */
  readonly document: DocumentNode;
  /** Coerced by the consumer schema. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What it costs with these variables, points (docs/router.md); at least 1. */
  readonly cost: number;
  /** Whether it asks for `__schema` or `__type`. */
  readonly introspects: boolean;
}

/** Why a request cannot run: syntax, validation, unknown operation, bad variables. The transport answers it as 400. */
export interface Refused {
  readonly errors: readonly GraphQLFormattedError[];
}

/** Whether a preparation was refused. */
export function isRefused(preparation: Prepared | Refused): preparation is Refused {
  return 'errors' in preparation;
}

/** An operation that was planned, as it was asked for. */
export interface Remembered {
  readonly query: string;
  readonly operationName: string | undefined;
  /** Values of the variables that decide what is planned, in the order of their names. */
  readonly conditions: readonly boolean[];
}

/** How full a cache is, and how much it spared since it was made. */
export interface CacheSize {
  readonly entries: number;
  /** Estimated. */
  readonly sizeBytes: number;
  readonly hits: number;
  readonly misses: number;
}

/** The heart of the router: one supergraph, answered. Holds no connection and no timer while idle. */
export interface Engine {
  /** What clients may ask: the supergraph without what is inaccessible. */
  readonly schema: GraphQLSchema;
  /** The consumer schema as text. */
  readonly schemaSdl: string;
  /** Subgraph name → address, as the supergraph gives them. */
  readonly subgraphs: ReadonlyMap<string, string>;
  /** What is remembered, by the cache's name: documents, plans, …; for metrics. */
  readonly caches: Readonly<Record<string, CacheSize>>;
  /** Parses, validates and plans; remembers the outcome by text and operation name. Never throws for a client's mistake. */
  prepare(request: GraphRequest): Prepared | Refused | Promise<Prepared | Refused>;
  /** The operations it has planned and that were asked for most, at most so many. */
  hottest(most: number): readonly Remembered[];
  /** Plans such an operation before anybody asks for it here. Never throws: what this schema has not is not planned. */
  planAhead(operation: Remembered): Promise<void>;
  /**
   * Runs a query or mutation. Never throws: refusals (FORBIDDEN, INTROSPECTION_DISABLED) are answers without data.
   * @param signal ends the calls to subgraphs when the client has left
   * @param record takes what each fetch took
   */
  execute(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<GraphAnswer>;
  /** As `execute`, with the data as the text it is sent as: for transports, which look at errors alone. */
  answer(prepared: Prepared, call: Call, signal?: LeaveSignal, record?: FetchRecord): Promise<AnyAnswer>;
  /**
   * The plan as people read it; undefined when nothing is asked of any subgraph.
   * @param record of a run of it, with when that began, epoch milliseconds
   */
  explain(prepared: Prepared, record?: FetchRecord, startedMs?: number): PlanNode | undefined;
  /**
   * Runs a subscription after `call.lastEventId`, if given. Lost upstreams are resumed unseen. A final error is an item with errors and no data.
   * Ends when the upstream completes, on a final error, or on the signal. What comes together is given together.
   */
  subscribe(prepared: Prepared, call: Call, signal: AbortSignal): AsyncIterable<StreamBatch>;
}
