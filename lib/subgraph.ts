import type { IncomingHttpHeaders } from 'node:http';
import type { GraphQLSchema } from 'graphql';
import type { Call } from './call/signing.ts';

/** What every resolver may reach for: who is calling. A house's own context adds its loaders and service. */
export interface HouseContext {
  call: Call;
}

/** A request that is not GraphQL (OTLP, the router's questions), already verified. */
export interface HouseRouteRequest {
  call: Call;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** What follows `?`. */
  query: URLSearchParams;
}

export interface HouseRouteAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Whole, or as it is made: sent no faster than it is read. */
  body: Buffer | string | AsyncIterable<string | Uint8Array>;
}

export type HouseRoute = (request: HouseRouteRequest) => Promise<HouseRouteAnswer>;

/**
 * A shorter road to the same answer.
 * @returns the answer's `data` as JSON; or, where the usual road must answer, the context that it is to do so in
 */
export type Shortcut = (variables: Record<string, unknown>, call: Call) => Promise<string | HouseContext>;

/** What each folder under subgraphs/ hands to the process that serves it. */
export interface Subgraph {
  /** Also its folder's name, and its name in the supergraph. */
  name: string;
  schema: GraphQLSchema;
  /** The context of one request; made anew for each, and for each event of a subscription. */
  context(call: Call): HouseContext;
  /** The shorter road of an operation that is called very often, if it has one. */
  shortcut?(query: unknown, operationName: unknown): Shortcut | undefined;
  /** Signed routes beside /graphql: `POST /v1/logs` → what answers it. */
  routes?: Record<string, HouseRoute>;
  /** Starts what runs by itself: sequencer, relay, sweeps. */
  start?(): Promise<void>;
  /** Ends it; waits for what is under way. */
  stop?(): Promise<void>;
  /** Throws when it cannot serve now. */
  ready?(): Promise<void>;
}
