import type { HouseClient } from '../../lib/call/house-client.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Left } from './exchange.ts';
import { addressIn, headOf, requestText } from './request-text.ts';
import { StreamedAnswer, type WireStream } from './streamed-answer.ts';
import { WholeAnswer, type WireAnswer } from './whole-answer.ts';

/** One GraphQL request as bytes, and on whose behalf it is sent. */
export interface WireRequest {
  body: string;
  call: Call;
  /** Fires when the caller no longer wants the answer. */
  signal?: LeaveSignal | undefined;
  /** How long it may take, the wait for a connection included, milliseconds. */
  timeoutMs: number;
  /** The largest answer taken, bytes. */
  maxBytes: number;
  /** Not on a connection that was kept. */
  isFresh?: boolean;
}

/** How bytes get to one subgraph and back. Follows no redirect. */
export interface Wire {
  readonly url: string;
  /**
   * Sends a request and reads its whole answer.
   * @throws TimedOut, TooLarge, Left when the signal fired, StaleConnection, or why the subgraph cannot be reached
   */
  send(request: WireRequest): Promise<WireAnswer>;
  /**
   * Sends a request and gives the answer as it streams; the time limit is for its head only.
   * @throws as `send`
   */
  open(request: WireRequest): Promise<WireStream>;
  /** Ends its connections; what is under way fails. */
  close(): void;
}

/** Connections to one address for calls. */
const CONNECTIONS = 128;

/** Signed calls to a house of the platform. */
export function signedWire(client: HouseClient, url: string): Wire {
  return new HttpWire(new URL('/graphql', url), (body, call) => client.headersOf('POST /graphql', body, call));
}

/** Plain calls to any GraphQL server. */
export function plainWire(address: string): Wire {
  return new HttpWire(new URL(address), (_body, call, withinMs) => plainHeaders(call, withinMs));
}

/** Keep-alive connections to one address. */
class HttpWire implements Wire {
  readonly url: string;
  readonly #calls: ConnectionPool;
  /** Streams keep theirs for as long as they live: however many there are, calls have connections. */
  readonly #streams: ConnectionPool;
  readonly #callHead: string;
  readonly #streamHead: string;

  /** @throws TypeError when the address is neither http nor https */
  constructor(
    url: URL,
    private readonly headersOf: (body: string, call: Call, withinMs?: number) => Record<string, string>,
  ) {
    this.url = url.href;
    const address = addressIn(url);
    this.#calls = new ConnectionPool(address, CONNECTIONS);
    this.#streams = new ConnectionPool(address, Number.POSITIVE_INFINITY);
    this.#callHead = headOf(url, JSON_ANSWER);
    this.#streamHead = headOf(url, EVENT_STREAM);
  }

  send(request: WireRequest): Promise<WireAnswer> {
    if (request.signal?.aborted) return Promise.reject(new Left());
    return new Promise((resolve, reject) => {
      const headers = this.headersOf(request.body, request.call, request.timeoutMs);
      const text = requestText(this.#callHead, headers, request.body);
      this.#calls.start(new WholeAnswer(request, text, resolve, reject), request.isFresh);
    });
  }

  open(request: WireRequest): Promise<WireStream> {
    if (request.signal?.aborted) return Promise.reject(new Left());
    return new Promise((resolve, reject) => {
      const text = requestText(this.#streamHead, this.headersOf(request.body, request.call), request.body);
      this.#streams.start(new StreamedAnswer(request, text, resolve, reject));
    });
  }

  close(): void {
    this.#calls.close();
    this.#streams.close();
  }
}

const JSON_ANSWER = 'application/graphql-response+json, application/json';
const EVENT_STREAM = 'text/event-stream';

/** @param withinMs how long the answer is waited for, milliseconds; none for a stream */
function plainHeaders({ requestId, traceparent, lastEventId }: Call, withinMs?: number): Record<string, string> {
  const headers: Record<string, string> = { 'x-request-id': requestId };
  if (withinMs !== undefined) headers['x-timeout-ms'] = String(withinMs);
  if (traceparent !== undefined) headers['traceparent'] = traceparent;
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  return headers;
}
