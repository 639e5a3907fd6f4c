import { type Dispatcher, Pool } from 'undici';
import type { HouseClient } from '../../lib/call/house-client.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import { WholeAnswer, type WireAnswer } from './wire-answer.ts';
import { StreamedAnswer, type WireStream } from './wire-stream.ts';

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
}

/** How bytes get to one subgraph and back. Follows no redirect. */
export interface Wire {
  readonly url: string;
  /**
   * Sends a request and reads its whole answer.
   * @throws TimedOut, TooLarge, Left when the signal fired, or why the subgraph cannot be reached
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

/** Connections to one address. Beyond them a request waits for one, within its own time limit. */
const CONNECTIONS = 128;
/** Shorter than servers keep theirs, so that none is used just as it closes, milliseconds. */
const KEEP_ALIVE_MS = 4_000;

// Time limits are the caller's own, to the millisecond; the pool's are coarse.
const POOL = { pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0 };

/** Signed calls to a house of the platform. */
export function signedWire(client: HouseClient, url: string): Wire {
  return new HttpWire(new URL('/graphql', url).href, (body, call) => client.headersOf('POST /graphql', body, call));
}

/** Plain calls to any GraphQL server. */
export function plainWire(address: string): Wire {
  return new HttpWire(address, (_body, call, withinMs) => plainHeaders(call, withinMs));
}

/** Pooled keep-alive connections to one address. */
class HttpWire implements Wire {
  readonly #pool: Pool;
  /** Streams keep theirs for as long as they live: however many there are, calls have connections. */
  #streams: Pool | undefined;
  readonly #origin: string;
  readonly #path: string;

  constructor(
    readonly url: string,
    private readonly headersOf: (body: string, call: Call, withinMs?: number) => Record<string, string>,
  ) {
    const { origin, pathname, search } = new URL(url);
    this.#origin = origin;
    this.#pool = new Pool(origin, { ...POOL, connections: CONNECTIONS });
    this.#path = `${pathname}${search}`;
  }

  send(request: WireRequest): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(
        this.#head(request, JSON_ANSWER, request.timeoutMs),
        new WholeAnswer(request, resolve, reject),
      );
    });
  }

  open(request: WireRequest): Promise<WireStream> {
    return new Promise((resolve, reject) => {
      this.#streams ??= new Pool(this.#origin, POOL);
      this.#streams.dispatch(this.#head(request, EVENT_STREAM), new StreamedAnswer(request, resolve, reject));
    });
  }

  close(): void {
    // What is under way is told by its own handler.
    for (const pool of [this.#pool, this.#streams]) pool?.destroy().then(undefined, () => undefined);
  }

  #head({ body, call }: WireRequest, accept: string, withinMs?: number): Dispatcher.DispatchOptions {
    const headers = this.headersOf(body, call, withinMs);
    headers['content-type'] = 'application/json';
    headers['accept'] = accept;
    return { method: 'POST', path: this.#path, headers, body };
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
