import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
} from '@apollo/server/plugin/disabled';
import { getOperationAST, parse, validate } from 'graphql';
import { type Call, CallVerifier, deriveKey } from '../call/signing.ts';
import type { Clock } from '../clock.ts';
import { FleetError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { HouseContext, Subgraph } from '../subgraph.ts';
import { withTraceparent } from '../telemetry/propagation.ts';
import { readBody } from './body.ts';
import { publicError } from './errors.ts';
import { streamSubscription } from './sse.ts';
import { streamBody } from './stream-body.ts';

const MAX_BODY = 20_000_000;

/** A listening server. */
export interface Served {
  url: string;
  stop(): Promise<void>;
}

export interface ServeHouseOptions {
  secret: string;
  /** Other secrets whose calls are taken, while the secret is changed. */
  acceptedSecrets?: readonly string[];
  clock: Clock;
  log: Log;
  host?: string;
  /** 0 takes a free one. */
  port?: number;
  /** Text of /metrics. */
  metrics?: () => Promise<string>;
}

/** Serves one house: GraphQL (JSON and server-sent events) and its routes for signed calls only; health for anybody. */
export async function serveHouse(subgraph: Subgraph, options: ServeHouseOptions): Promise<Served> {
  const { secret, acceptedSecrets = [], clock, log } = options;
  const apollo = new ApolloServer<HouseContext>({
    schema: subgraph.schema,
    introspection: true,
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginCacheControlDisabled()],
    // The raw error passes through; `publicError` masks it with the request's id.
    formatError: (_formatted, error) => error as never,
  });
  await apollo.start();
  const keys = [secret, ...acceptedSecrets].map((each) => deriveKey(each, `call:${subgraph.name}`));
  const verifier = new CallVerifier(keys, subgraph.name, () => clock.nowMs());
  const door = new HouseDoor(subgraph, apollo, verifier, log, () => clock.nowMs(), options.metrics);
  const server = createServer((request, response) => void door.open(request, response));
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    async stop() {
      await closed(server);
      await apollo.stop();
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Streams end when their socket does; what is being answered gets a moment.
    const cut = setTimeout(() => server.closeAllConnections(), 500);
    server.once('close', () => clearTimeout(cut));
  });
}

interface GraphBody {
  query: string;
  operationName?: string;
  variables?: Record<string, unknown>;
}

class HouseDoor {
  constructor(
    private readonly subgraph: Subgraph,
    private readonly apollo: ApolloServer<HouseContext>,
    private readonly verifier: CallVerifier,
    private readonly log: Log,
    private readonly nowMs: () => number,
    private readonly metrics: (() => Promise<string>) | undefined,
  ) {}

  async open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.log.error('request.failed', { error: messageOf(error), stack: (error as Error).stack });
      if (!response.headersSent) send(response, 500, { errors: [publicError(error, { requestId: '' }, this.log)] });
      else response.destroy();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://house');
    const target = `${request.method} ${url.pathname}`;
    if (target === 'GET /livez') return send(response, 200, { status: 'live' });
    if (target === 'GET /readyz') return await this.#readiness(response);
    if (target === 'GET /metrics' && this.metrics)
      return send(response, 200, await this.metrics(), 'text/plain; version=0.0.4');
    // A stranger's body is not read at all.
    if (!this.verifier.isClaimed(request.headers)) {
      response.setHeader('connection', 'close');
      return refuse(response);
    }
    const body = await readBody(request, MAX_BODY);
    const call = this.verifier.verify(`${request.method} ${request.url}`, request.headers, body);
    if (!call) return refuse(response);
    // Whoever left meanwhile, or waits no longer, is worth no work.
    if (request.socket.destroyed) return;
    if (call.deadlineMs !== undefined && call.deadlineMs <= this.nowMs()) {
      const error = new FleetError('TIMEOUT', 'the time for this call was over before it began');
      return send(response, 504, { errors: [{ message: error.message, extensions: error.extensions }] });
    }
    if (target === 'POST /graphql') return await this.#graphql(request, response, body, call);
    const route = this.subgraph.routes?.[target];
    if (!route)
      return send(response, 404, { errors: [{ message: `no ${target} here`, extensions: { code: 'NOT_FOUND' } }] });
    const answer = await route({ call, headers: request.headers, body, query: url.searchParams });
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    if (typeof answer.body === 'string' || Buffer.isBuffer(answer.body)) response.end(answer.body);
    else await streamBody(answer.body, response);
  }

  async #readiness(response: ServerResponse): Promise<void> {
    try {
      await this.subgraph.ready?.();
      send(response, 200, { status: 'ready' });
    } catch (error) {
      this.log.warn('not.ready', { error: messageOf(error) });
      send(response, 503, { status: 'not ready' });
    }
  }

  async #graphql(request: IncomingMessage, response: ServerResponse, bytes: Buffer, call: Call): Promise<void> {
    const body = JSON.parse(bytes.toString()) as GraphBody;
    if (String(request.headers.accept ?? '').includes('text/event-stream')) {
      const document = parse(body.query);
      const invalid = validate(this.subgraph.schema, document);
      const operation = getOperationAST(document, body.operationName);
      if (invalid.length || operation?.operation !== 'subscription') {
        const message = invalid[0]?.message ?? 'only a subscription is streamed';
        return send(response, 400, { errors: [{ message, extensions: { code: 'BAD_INPUT' } }] });
      }
      return await streamSubscription(this.subgraph, { ...body, document }, call, response, this.log);
    }
    const errors = (found: readonly unknown[]) => found.map((error) => publicError(error, call, this.log));
    const name = `${this.subgraph.name} ${body.operationName ?? 'graphql'}`;
    const execution = () => this.#outcome(body, call);
    const answer = await withTraceparent(call.traceparent, name, execution, { kind: 'SERVER' });
    if (typeof answer === 'string') return send(response, 200, `{"data":${answer}}`);
    if (answer.body.kind !== 'single') throw new Error('a house answers at once');
    const { data, errors: found } = answer.body.singleResult;
    send(response, answer.http.status ?? 200, {
      ...(data === undefined ? {} : { data }),
      ...(found ? { errors: errors(found) } : {}),
    });
  }

  async #outcome(body: GraphBody, call: Call) {
    const shortcut = this.subgraph.shortcut?.(body.query, body.operationName);
    const given = shortcut ? await shortcut(body.variables ?? {}, call) : this.subgraph.context(call);
    return typeof given === 'string' ? given : await this.#execute(body, given);
  }

  #execute(body: GraphBody, contextValue: HouseContext) {
    return this.apollo.executeOperation(
      {
        query: body.query,
        ...(body.operationName ? { operationName: body.operationName } : {}),
        ...(body.variables ? { variables: body.variables } : {}),
        http: { method: 'POST', headers: new HeaderMap(), search: '', body: '' },
      },
      { contextValue },
    );
  }
}

function refuse(response: ServerResponse): void {
  const error = new FleetError('UNAUTHENTICATED', 'this port takes signed calls only: ask the router');
  send(response, 401, { errors: [{ message: error.message, extensions: error.extensions }] });
}

function send(response: ServerResponse, status: number, body: object | string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
