import { hasAnyScope } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { entryOf } from '../audit/entries.ts';
import type { AuditSpool } from '../audit/spool.ts';
import { HttpRefusal } from '../http/body.ts';
import type { Exchange } from '../http/graphql-door.ts';
import type { Limits } from '../limits/limits.ts';
import { limitHeaders } from '../limits/standing.ts';
import type { AddressPolicy } from './address-policy.ts';
import { ServiceConnections } from './attempt.ts';
import type { EndpointSource } from './endpoint-source.ts';
import { Instances } from './instances.ts';
import { ProxiedCall } from './proxied-call.ts';
import { ProxyBudget } from './proxy-budget.ts';
import { forwardedBody, isRepeatable } from './request-body.ts';
import { type ProxyTarget, targetIn } from './target.ts';

export interface ProxyDoorOptions {
  /** What stands before the service's name, `/agents/`. */
  prefix: string;
  source: EndpointSource;
  policy: AddressPolicy;
  /** Of which a caller needs any. */
  scopes: readonly string[];
  /** Where what was asked for is written down; GET and HEAD are not. */
  spool?: AuditSpool | undefined;
  /** As entries name it: the action, and the type of what was called. */
  audit: { action: string; targetType: string };
  clock: Clock;
}

/** Requests under way at once. */
const MOST_IN_FLIGHT = 2_048;
const PATH_KEPT = 200;
const SAFE: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Passes requests on to services that are no subgraphs, each to one of those who answer for it. */
export class ProxyDoor {
  readonly #instances: Instances;
  readonly #connections = new ServiceConnections();
  readonly #budget = new ProxyBudget();
  #inFlight = 0;

  constructor(private readonly options: ProxyDoorOptions) {
    this.#instances = new Instances(() => options.clock.random());
  }

  get prefix(): string {
    return this.options.prefix;
  }

  close(): void {
    this.#connections.close();
  }

  /** @throws FORBIDDEN, RATE_LIMITED, BAD_INPUT, NOT_FOUND, OVERLOADED, SUBGRAPH_UNAVAILABLE (502, 503), TIMEOUT */
  async answer(exchange: Exchange, limits: Limits): Promise<void> {
    const { request, response, call } = exchange;
    const { prefix, scopes } = this.options;
    if (!hasAnyScope(call.principal, scopes)) {
      throw new FleetError('FORBIDDEN', `this needs one of the scopes ${scopes.join(', ')}`);
    }
    if (this.#inFlight >= MOST_IN_FLIGHT) {
      throw new FleetError('OVERLOADED', 'too many requests are under way', { retryAfterMs: 1_000 });
    }
    this.#inFlight += 1;
    try {
      const standing = await limits.enter(call.principal, prefix, Number(request.headers['content-length'] ?? 0));
      for (const [name, value] of Object.entries(limitHeaders(standing))) response.setHeader(name, value);
      await this.#pass(exchange, targetIn(request.url ?? '/', prefix));
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #pass(exchange: Exchange, target: ProxyTarget): Promise<void> {
    const { request, call } = exchange;
    const { source, policy, clock } = this.options;
    const endpoints = await source.endpointsOf(target.service);
    if (!endpoints.length) {
      const nobody = new FleetError('SUBGRAPH_UNAVAILABLE', `nobody answers for ${target.service} now`, {
        retryAfterMs: 1_000,
      });
      throw new HttpRefusal(503, nobody, { 'retry-after': '1' });
    }
    const body = await forwardedBody(request);
    const proxied = new ProxiedCall({
      ...{ exchange, target, endpoints, body, policy, clock },
      instances: this.#instances,
      connections: this.#connections,
      budget: this.#budget,
      isRepeatable: isRepeatable(request) && Buffer.isBuffer(body),
    });
    try {
      await proxied.run();
    } finally {
      if (!SAFE.has(request.method)) this.#tell(call, request.method ?? '', target, proxied);
    }
  }

  #tell(call: Call, method: string, target: ProxyTarget, { status, servedBy, attempts }: ProxiedCall): void {
    const { spool, audit, clock } = this.options;
    const failed = status === undefined || status >= 400;
    spool?.add(
      entryOf(call, clock, {
        action: audit.action,
        outcome: failed ? 'FAILED' : 'SUCCEEDED',
        reason: failed ? (status === undefined ? 'there was no answer' : `it answered ${status}`) : null,
        targetType: audit.targetType,
        targetId: servedBy ?? target.service,
        before: null,
        after: {
          service: target.service,
          method,
          path: target.path.slice(0, PATH_KEPT),
          status: status ?? null,
          attempts,
        },
      }),
    );
  }
}
