import type { IncomingMessage } from 'node:http';
import type { HouseClient } from '../../lib/call/house-client.ts';
import { hasScope } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError, messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { bearerIn } from '../callers/authenticator.ts';
import type { DoorKeeper } from '../callers/door-keeper.ts';
import { REPLICAS_ROUTE, type Registrar } from '../discovery/registrar.ts';
import { EXPLORER_PATHS, type Explorer } from '../explorer/explorer.ts';
import type { Guard } from '../guard/guard.ts';
import { type LeaveSignal, Presence } from '../leave-signal.ts';
import type { Limits } from '../limits/limits.ts';
import { LimitRefusal, limitHeaders } from '../limits/standing.ts';
import type { ProxyDoor } from '../proxy/proxy-door.ts';
import { HttpRefusal } from './body.ts';
import { type Asked, addressOf, callOf, identify } from './call.ts';
import { answerCors } from './cors.ts';
import { handDown } from './download.ts';
import type { FastReply } from './fast-path/fast-reply.ts';
import type { FastRequest } from './fast-path/fast-request.ts';
import { requireProperFraming } from './framing.ts';
import type { Exchange, GraphqlDoor } from './graphql-door.ts';
import type { Hosts } from './hosts.ts';
import { type IngestRoute, passOn } from './ingest.ts';
import type { Operations } from './operations.ts';
import { refusal, statusOf } from './public-errors.ts';
import type { Readiness } from './readiness.ts';
import type { Reply, WholeReply } from './reply.ts';
import { hostOf, parametersOf, pathOf } from './request-target.ts';
import { send, sendAnswer, sendJson } from './send.ts';

export interface ListenerOptions {
  keeper: DoorKeeper;
  graphql: GraphqlDoor;
  operations: Operations;
  readiness: Readiness;
  explorer: Explorer | undefined;
  guard: Guard;
  limits: Limits;
  houses: Readonly<Record<string, HouseClient>>;
  /** `POST /v1/logs` → where it goes. */
  routes: Readonly<Record<string, IngestRoute>>;
  /** What stands under a path of its own. */
  proxies: readonly ProxyDoor[];
  /** Text of /metrics, and its content type. */
  metrics(): Promise<{ text: string; contentType: string }>;
  hosts: Hosts;
  /** Takes replicas that register themselves. */
  registrar?: Registrar | undefined;
  corsOrigins: readonly string[];
  clock: Clock;
  log: Log;
  traceRatio: number;
  /** Told of each answer; routes that are none of ours share one name. */
  onAnswered(route: string, status: number): void;
  /** Told of a caller that was turned away: 401 or 403. */
  onDenied(call: Call, route: string, reason: string): void;
}

/** What is counted by who asks, as operations are. */
const GRAPHQL: ReadonlySet<string> = new Set(['GET /graphql', 'POST /graphql', 'PUT /graphql', 'DELETE /graphql']);
/** Everything the port answers beside the routes that are handed to houses: what is not here is not answered. */
export const FIXED_ROUTES: ReadonlySet<string> = new Set([
  ...GRAPHQL,
  ...EXPLORER_PATHS.map((path) => `GET ${path}`),
  'GET /metrics',
  'GET /livez',
  'GET /readyz',
  'GET /health',
  REPLICAS_ROUTE,
]);
const NAMED: ReadonlySet<string> = new Set([...FIXED_ROUTES].map((route) => route.slice(route.indexOf(' ') + 1)));

/** Every request of the public port: who may come in, and which door is his. */
export class Listener {
  constructor(private readonly options: ListenerOptions) {}

  /** Epoch milliseconds. */
  nowMs(): number {
    return this.options.clock.nowMs();
  }

  /** Never throws: whatever happens is answered. */
  async answer(request: IncomingMessage, response: Reply): Promise<void> {
    const { clock, traceRatio } = this.options;
    const call = callOf(request, clock, traceRatio);
    response.requestId = call.requestId;
    const caller = new Presence();
    response.on('close', () => {
      if (!response.writableFinished) caller.leave();
      this.options.onAnswered(this.#nameOf(request), response.statusCode);
    });
    response.on('error', () => caller.leave());
    try {
      await this.#route(request, response, call, caller);
    } catch (error) {
      this.#refuse(error, pathOf(request), response, call, caller);
    }
  }

  /** An ordinary question to the graph, by the fast path: whatever else a request might be is not asked. Never throws. */
  async answerFast(request: FastRequest, reply: FastReply): Promise<void> {
    const { clock, traceRatio, hosts, graphql } = this.options;
    const call = callOf(request, clock, traceRatio);
    reply.requestId = call.requestId;
    try {
      hosts.require(request.headers.host);
      const identifying = this.#identify(request, call);
      if (identifying instanceof Promise) await identifying;
      await graphql.answerFast({ request, response: reply, call, signal: reply.caller });
    } catch (error) {
      this.#refuse(error, request.url, reply, call, reply.caller);
    }
  }

  /** What was asked by the fast path has been answered, or left. */
  fastDone({ statusCode }: FastReply): void {
    this.options.onAnswered('/graphql', statusCode);
  }

  /** The route's name in metrics: a small set, whatever is asked for. */
  #nameOf(request: IncomingMessage): string {
    const pathname = pathOf(request);
    const { routes } = this.options;
    const proxy = this.#proxyOf(pathname);
    if (proxy) return proxy.prefix;
    return NAMED.has(pathname) || routes[`POST ${pathname}`] || routes[`GET ${pathname}`] ? pathname : '(others)';
  }

  async #route(request: IncomingMessage, response: Reply, call: Call, signal: LeaveSignal): Promise<void> {
    const { keeper, hosts, corsOrigins, routes, graphql } = this.options;
    requireProperFraming(request);
    hosts.require(hostOf(request));
    if (answerCors(request, response, corsOrigins)) return;
    const pathname = pathOf(request);
    const target = `${request.method === 'HEAD' ? 'GET' : request.method} ${pathname}`;
    const proxy = this.#proxyOf(pathname);
    if (!GRAPHQL.has(target) && !routes[target] && !proxy) this.#countPage(request, response);
    if (FIXED_ROUTES.has(target) && (await this.#page(target, request, response))) return;
    await this.#identify(request, call);
    const token = keeper.isOpen ? undefined : bearerIn(request.headers.authorization);
    const exchange: Exchange = { request, response, call, token, signal };
    if (proxy) await proxy.answer(exchange, this.options.limits);
    else if (pathname === '/graphql') await graphql.answer(exchange);
    else await this.#inside(target, exchange);
  }

  /** From here on a refusal is this caller's. Sync where the caller is known already. @throws UNAUTHENTICATED, RATE_LIMITED, BAD_INPUT */
  #identify(request: Asked, call: Call): undefined | Promise<void> {
    const { keeper } = this.options;
    const token = bearerIn(request.headers.authorization);
    const known = keeper.admitNow(token);
    if (!known) return keeper.admit(token, addressOf(request)).then((who) => identify(call, who, request.headers));
    identify(call, known, request.headers);
    return undefined;
  }

  /** @returns whether it is a page that asks for no credential, and answered */
  async #page(target: string, request: IncomingMessage, response: Reply): Promise<boolean> {
    const { explorer, registrar } = this.options;
    if (target === 'GET /livez') sendJson(response, 200, { status: 'live' });
    else if (target === 'GET /health') await this.#health(response);
    else if (target === 'GET /readyz') await this.#ready(request, response);
    else if (target === REPLICAS_ROUTE && registrar) await registrar.answer(request, response);
    else return target.startsWith('GET ') && explorer?.answer(pathOf(request), request, response) === true;
    return true;
  }

  #proxyOf(pathname: string): ProxyDoor | undefined {
    return this.options.proxies.find(({ prefix }) => pathname.startsWith(prefix));
  }

  async #inside(target: string, exchange: Exchange): Promise<void> {
    const { routes, houses, guard, limits } = this.options;
    if (target === 'GET /metrics') return await this.#metrics(exchange);
    const route = routes[target];
    const house = route && houses[route.subgraph];
    if (!route || !house) throw new HttpRefusal(404, new FleetError('NOT_FOUND', 'there is nothing here'));
    const pass = route.isDownload ? handDown : passOn;
    await pass(target, route, exchange, { guard, house, limits });
  }

  /**
   * Pages, registrations and what is not there at all are counted by address: they ask for no credential, or show it only in
   * the end. @throws RATE_LIMITED
   */
  #countPage(request: IncomingMessage, response: Reply): void {
    const standing = this.options.limits.page(addressOf(request), this.#nameOf(request));
    for (const [name, value] of Object.entries(limitHeaders(standing))) response.setHeader(name, value);
  }

  async #health(response: Reply): Promise<void> {
    if (await this.options.readiness.hasStarted()) return sendJson(response, 200, { status: 'ok' });
    response.setHeader('retry-after', '1');
    sendJson(response, 503, { status: 'starting' });
  }

  async #ready(request: IncomingMessage, response: Reply): Promise<void> {
    const { ready, subgraphs } = await this.options.readiness.report();
    const status = { status: ready ? 'ready' : 'not ready' };
    if (!parametersOf(request).has('verbose')) return sendJson(response, ready ? 200 : 503, status);
    const isKnown = await this.#isKnown(request);
    const shown = subgraphs.map(({ reason, ...subgraph }) => (isKnown && reason ? { ...subgraph, reason } : subgraph));
    sendJson(response, ready ? 200 : 503, { ...status, subgraphs: shown });
  }

  async #isKnown(request: IncomingMessage): Promise<boolean> {
    const token = bearerIn(request.headers.authorization);
    if (token === undefined) return this.options.keeper.isOpen;
    return await this.options.keeper.admit(token, addressOf(request)).then(
      () => true,
      () => false,
    );
  }

  async #metrics({ call, response }: Exchange): Promise<void> {
    if (!hasScope(call.principal, 'viewer')) throw new FleetError('FORBIDDEN', '/metrics needs the scope viewer');
    const { text, contentType } = await this.options.metrics();
    send(response, 200, text, { 'content-type': contentType });
  }

  #refuse(error: unknown, path: string, response: WholeReply, call: Call, signal: LeaveSignal): void {
    const { log, onDenied } = this.options;
    const isHttp = error instanceof HttpRefusal;
    const known = isHttp ? error.cause : asFleetError(error);
    const { requestId } = call;
    if (!known && signal.aborted) log.debug('client.left', { requestId });
    else if (!known) log.error('request.failed', { requestId, error: messageOf(error), stack: (error as Error).stack });
    const told = known ?? new FleetError('INTERNAL', 'something went wrong here: tell us the requestId');
    const status = isHttp ? error.status : statusOf(told.code);
    if (status === 401 || status === 403) onDenied({ ...call }, path, told.message);
    if (response.headersSent) return void response.destroy();
    const headers = isHttp ? error.headers : told instanceof LimitRefusal ? limitHeaders(told.standing) : {};
    sendAnswer(response, refusal(told, call), headers, status);
  }
}
