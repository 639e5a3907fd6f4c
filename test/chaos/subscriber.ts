import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createClient as createEventsClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { EventParser } from '../../sdk/wire/sse.ts';

/** A stock client of either transport, or a lean one that reads slowly. */
export type Kind = 'events' | 'socket' | 'slow';

export interface SubscriberOptions {
  kind: Kind;
  url: string;
  token: string;
  query: string;
  filter: object;
  /** Where the first subscription begins. */
  after: string;
  /** Told of each payload's data. */
  take(data: ReturnType<typeof JSON.parse>): void;
}

const FATAL_WAIT_MS = 200;
/** How long a slow reader looks away between two pieces, milliseconds. */
const LOOKS_AWAY_MS = 3_000;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const jitter = (retries: number) => pause(Math.random() * Math.min(10_000, 100 * 2 ** retries));

interface Payload {
  data?: ReturnType<typeof JSON.parse>;
  errors?: readonly { extensions?: { code?: unknown } }[] | undefined;
}

/** One subscriber that goes on by cursor until it is stopped (docs/streams.md). */
export class Subscriber {
  /** Codes of the errors that ended its streams, by how often. */
  readonly endings = new Map<string, number>();
  isSlow: boolean;
  /** As the stock clients send it again and again: they keep the object. */
  readonly #payload: { query: string; variables: { filter: object; after: string } };
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: SubscriberOptions) {
    this.isSlow = options.kind === 'slow';
    this.#payload = { query: options.query, variables: { filter: options.filter, after: options.after } };
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const listen = { events: () => this.#events(), socket: () => this.#socket(), slow: () => this.#read() };
    while (!this.#stopping.signal.aborted) {
      await listen[this.options.kind]().catch(() => this.#ended('connection'));
      if (!this.#stopping.signal.aborted) await pause(FATAL_WAIT_MS * Math.random());
    }
  }

  /** graphql-sse, a connection for each operation. Ends when the stream does. */
  #events(): Promise<void> {
    const { url, token } = this.options;
    const client = createEventsClient({
      url: `${url}/graphql`,
      headers: { authorization: `Bearer ${token}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      retry: jitter,
    });
    return this.#until((sink) => client.subscribe(this.#payload, sink)).finally(() => client.dispose());
  }

  /** graphql-ws, a socket for each operation. Ends when the stream does. */
  #socket(): Promise<void> {
    const { url, token } = this.options;
    const client = createSocketClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      retryWait: jitter,
      shouldRetry: () => true,
    });
    return this.#until((sink) => client.subscribe(this.#payload, sink)).finally(() => void client.dispose());
  }

  #until(
    subscribe: (sink: { next(payload: Payload): void; error(error: unknown): void; complete(): void }) => () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = subscribe({ next: (payload) => this.#take(payload), error: reject, complete: resolve });
      this.#stopping.signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Server-sent events, a piece at a time, with looks away between them. */
  async #read(): Promise<void> {
    const { url, token } = this.options;
    const asking = request(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
      signal: this.#stopping.signal,
      agent: false,
    });
    asking.end(JSON.stringify(this.#payload));
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`);
    const parser = new EventParser();
    for await (const piece of response.setEncoding('utf8')) {
      for (const { event, data } of parser.push(piece)) if (event === 'next') this.#take(JSON.parse(data));
      if (this.isSlow) await pause(LOOKS_AWAY_MS);
    }
  }

  #take({ data, errors }: Payload): void {
    for (const { extensions } of errors ?? []) this.#ended(String(extensions?.code));
    const change = data?.change;
    if (!change) return;
    this.#payload.variables.after = change.cursor;
    this.options.take(change);
  }

  #ended(code: string): void {
    this.endings.set(code, (this.endings.get(code) ?? 0) + 1);
  }
}
