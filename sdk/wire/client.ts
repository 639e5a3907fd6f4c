import { Backoff } from './backoff.ts';
import { FleetFailure, type GraphQLFault } from './failure.ts';
import { EventParser, type ServerEvent } from './sse.ts';
import { machine, type Surroundings } from './surroundings.ts';
import { SDK } from './version.ts';

/** What one operation was answered. */
export interface GraphQLAnswer<Data> {
  /** What was asked for; null in the places that failed. */
  data?: Data | null;
  /** What failed, each with its path. */
  errors?: GraphQLFault[];
}

/** Whom to ask, and as whom. */
export interface ClientOptions {
  /** The platform's public address, e.g. http://127.0.0.1:4000 */
  url: string;
  /** Bearer token, sent in a header only. */
  token: string;
  /** Clock, chance, timers and network; the machine’s unless said. */
  surroundings?: Surroundings;
  /** Time limit of one request, milliseconds; 10 s unless said. */
  timeoutMs?: number;
}

/** How a subscription is followed. */
export interface SubscribeOptions {
  /** Another token than the client’s. */
  token?: string;
  /** The cursor to go on after. */
  after?: string;
  /** Ends it when aborted. */
  signal?: AbortSignal;
  /** Silence after which a stream counts as lost, milliseconds; the platform speaks every 15 s. */
  silenceMs?: number;
  /** Told before each new attempt. */
  onRetry?: (failure: FleetFailure) => void;
}

/** Speaks GraphQL and OTLP to the platform over fetch; one attempt a call unless the method says otherwise. */
export class FleetClient {
  /** The platform’s address, without a slash at its end. */
  readonly url: string;
  /** Clock, chance, timers and network that it uses. */
  readonly surroundings: Surroundings;
  readonly #token: string;
  readonly #timeoutMs: number;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.surroundings = options.surroundings ?? machine();
    this.#token = options.token;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  /** One GraphQL operation; the answer may have data and errors beside each other. @throws FleetFailure when there is no data */
  async ask<Data>(
    query: string,
    variables: object = {},
    token = this.#token,
    operationName?: string,
  ): Promise<GraphQLAnswer<Data>> {
    const text = await this.post('/graphql', JSON.stringify({ query, variables, operationName }), token);
    let answer: GraphQLAnswer<Data>;
    try {
      answer = JSON.parse(text) as GraphQLAnswer<Data>;
    } catch {
      throw new FleetFailure('UNREACHABLE', `${this.url} does not answer in GraphQL; is this the platform's address?`);
    }
    if (answer.data === undefined || answer.data === null) throw FleetFailure.ofFaults(answer.errors ?? []);
    return answer;
  }

  /** The data of one operation. @throws FleetFailure also when only a part failed */
  async query<Data>(query: string, variables: object = {}, token = this.#token): Promise<Data> {
    const { data, errors } = await this.ask<Data>(query, variables, token);
    if (errors?.length) throw FleetFailure.ofFaults(errors);
    return data as Data;
  }

  /**
   * Posts a body, JSON unless the headers say otherwise, and gives the answer's text.
   * @throws FleetFailure for every status but 200
   */
  async post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    token = this.#token,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const over = new AbortController();
    const done = new AbortController();
    void this.surroundings.sleep(this.#timeoutMs, done.signal).then(() => over.abort());
    try {
      const response = await this.#send(
        path,
        body,
        token,
        { accept: 'application/graphql-response+json, application/json', ...headers },
        over.signal,
      );
      return await response.text();
    } catch (error) {
      throw this.#unreachable(error);
    } finally {
      done.abort();
    }
  }

  /** What stands under a path of the platform, as it comes: read its body. @throws FleetFailure for every status but 200 */
  async open(path: string, signal: AbortSignal = new AbortController().signal): Promise<Response> {
    try {
      return await this.#send(path, undefined, this.#token, {}, signal);
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  /**
   * A subscription by SSE that outlives lost connections and restarts: it comes back with the last cursor it saw.
   * The operation may declare `$after: String`; `Last-Event-ID` says the same to those that do not.
   * @throws FleetFailure when the platform ends it for good (RESUME_GAP, UNAUTHENTICATED, FORBIDDEN, BAD_…)
   */
  async *subscribe<Data>(
    query: string,
    variables: object = {},
    options: SubscribeOptions = {},
  ): AsyncGenerator<GraphQLAnswer<Data>, void> {
    const backoff = new Backoff(this.surroundings.random);
    let after = options.after;
    const stopped = () => options.signal?.aborted ?? false;
    while (!stopped()) {
      let failure = new FleetFailure('UNREACHABLE', 'the stream was cut', { retryable: true });
      try {
        for await (const event of this.#events(query, variables, after, options)) {
          if (stopped() || event.event === 'complete') return;
          const answer = event.data ? (JSON.parse(event.data) as GraphQLAnswer<Data>) : undefined;
          after = event.id || cursorOf(answer) || after;
          if (!answer) continue;
          if (answer.errors?.length && !answer.data) throw FleetFailure.ofFaults(answer.errors);
          backoff.reset();
          yield answer;
        }
      } catch (error) {
        failure = this.#unreachable(error);
      }
      if (stopped()) return;
      if (!failure.retryable) throw failure;
      options.onRetry?.(failure);
      await this.surroundings.sleep(backoff.next(failure.retryAfterMs), options.signal);
    }
  }

  async *#events(
    query: string,
    variables: object,
    after: string | undefined,
    options: SubscribeOptions,
  ): AsyncGenerator<ServerEvent> {
    const cut = new AbortController();
    const end = () => cut.abort();
    options.signal?.addEventListener('abort', end);
    let heardAt = this.surroundings.nowMs();
    const silenceMs = options.silenceMs ?? 45_000;
    void (async () => {
      while (!cut.signal.aborted) {
        const restMs = heardAt + silenceMs - this.surroundings.nowMs();
        if (restMs <= 0) cut.abort();
        else await this.surroundings.sleep(restMs, cut.signal);
      }
    })();
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (after) headers['last-event-id'] = after;
      const body = JSON.stringify({
        query,
        variables: after && query.includes('$after') ? { ...variables, after } : variables,
      });
      const response = await this.#send('/graphql', body, options.token ?? this.#token, headers, cut.signal);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        throw FleetFailure.ofStatus(400, null, await response.text());
      }
      const parser = new EventParser();
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        heardAt = this.surroundings.nowMs();
        yield* parser.push(decoder.decode(chunk, { stream: true }));
      }
    } finally {
      options.signal?.removeEventListener('abort', end);
      cut.abort();
    }
  }

  async #send(
    path: string,
    body: string | Uint8Array<ArrayBuffer> | undefined,
    token: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const response = await this.surroundings.fetch(`${this.url}${path}`, {
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'fleetgraph-sdk': SDK,
        ...headers,
      },
      ...(body === undefined ? {} : { method: 'POST', body }),
      signal,
      redirect: 'error',
    });
    if (response.status !== 200)
      throw FleetFailure.ofStatus(response.status, response.headers.get('retry-after'), await response.text());
    return response;
  }

  #unreachable(error: unknown): FleetFailure {
    if (error instanceof FleetFailure) return error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return new FleetFailure('UNREACHABLE', `${this.url} does not answer (${cause})`, { retryable: true });
  }
}

/** Every live payload carries its own cursor beside the stream's. */
function cursorOf(answer: GraphQLAnswer<unknown> | undefined): string | undefined {
  for (const payload of Object.values(answer?.data ?? {})) {
    const cursor = (payload as { cursor?: unknown } | null)?.cursor;
    if (typeof cursor === 'string') return cursor;
  }
  return answer?.errors?.[0]?.extensions?.cursor;
}
