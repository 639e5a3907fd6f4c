import { Agent, type IncomingMessage, request } from 'node:http';
import { FleetError, messageOf } from '../errors.ts';
import { type Call, signCall } from './signing.ts';

/** An answer of a house. */
export interface HouseAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface HouseRequest {
  call: Call;
  body?: Uint8Array | string;
  headers?: Record<string, string>;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** The largest answer taken, bytes. */
  maxBytes?: number;
  /** Which of the house's replicas is called; the client's own address unless given. */
  at?: string;
}

/**
 * Calls one house over pooled keep-alive connections, signed. Follows no redirect.
 * @throws SUBGRAPH_UNAVAILABLE when it cannot be reached, TIMEOUT when it does not answer in time
 */
export class HouseClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, keepAliveMsecs: 1_000 });
  readonly #url: URL;

  /** @param url http://host:port of the house */
  constructor(
    readonly house: string,
    url: string,
    private readonly key: Buffer,
    private readonly nowMs: () => number,
  ) {
    this.#url = new URL(url);
  }

  /** Headers that make a call with this body one of ours, for who has connections of his own. */
  headersOf(target: string, body: Uint8Array | string, call: Call): Record<string, string> {
    return signCall(this.key, this.house, target, body, call, this.nowMs());
  }

  /** Where it is: the supergraph's addresses are not a platform's. */
  get url(): string {
    return this.#url.href;
  }

  /** Sends a signed call and reads the whole answer. `target` is e.g. `POST /graphql`. */
  async send(target: string, options: HouseRequest): Promise<HouseAnswer> {
    const response = await this.open(target, options);
    const chunks: Buffer[] = [];
    let size = 0;
    const maxBytes = options.maxBytes ?? 10_000_000;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBytes) throw new Error(`the answer is over ${maxBytes} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      response.destroy();
      throw this.#unavailable(error);
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  }

  /** Sends a signed call and gives the answer as it streams; for server-sent events. */
  open(target: string, options: HouseRequest): Promise<IncomingMessage> {
    const [method = 'POST', path = '/'] = target.split(' ');
    const body = options.body ?? '';
    const { hostname, port } = options.at === undefined ? this.#url : new URL(options.at);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: hostname,
          port,
          method,
          path,
          headers: {
            'content-type': 'application/json',
            ...options.headers,
            'content-length': Buffer.byteLength(body),
            ...this.headersOf(target, body, options.call),
          },
          ...(options.signal ? { signal: options.signal } : {}),
        },
        resolve,
      );
      if (options.timeoutMs) {
        outgoing.setTimeout(options.timeoutMs, () =>
          outgoing.destroy(new FleetError('TIMEOUT', `${this.house} did not answer in time`, { subgraph: this.house })),
        );
      }
      outgoing.on('error', (error) => reject(this.#unavailable(error)));
      outgoing.end(body);
    });
  }

  /**
   * Runs a GraphQL operation on this one house, as the given caller.
   * @throws the first error of the answer, or SUBGRAPH_UNAVAILABLE
   */
  async ask<T>(call: Call, query: string, variables: object = {}, timeoutMs = 5_000): Promise<T> {
    const answer = await this.send('POST /graphql', { call, body: JSON.stringify({ query, variables }), timeoutMs });
    let parsed: { data?: T; errors?: { message: string; extensions?: { code?: string } }[] };
    try {
      parsed = JSON.parse(answer.body.toString());
    } catch (error) {
      throw this.#unavailable(error);
    }
    const [error] = parsed.errors ?? [];
    if (error || !parsed.data) {
      const code = (error?.extensions?.code ?? 'SUBGRAPH_UNAVAILABLE') as never;
      throw new FleetError(code, error?.message ?? `${this.house} gave no data`, { subgraph: this.house });
    }
    return parsed.data;
  }

  close(): void {
    this.#agent.destroy();
  }

  #unavailable(error: unknown): FleetError {
    if (error instanceof FleetError) return error;
    const unavailable = new FleetError('SUBGRAPH_UNAVAILABLE', `${this.house} cannot be reached`, {
      subgraph: this.house,
    });
    unavailable.cause = messageOf(error);
    return unavailable;
  }
}
