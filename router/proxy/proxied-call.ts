import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError, messageOf } from '../../lib/errors.ts';
import { HttpRefusal } from '../http/body.ts';
import type { Exchange } from '../http/graphql-door.ts';
import type { AddressPolicy } from './address-policy.ts';
import { AttemptFailed, type ServiceConnections, smallBody } from './attempt.ts';
import type { ProxiedEndpoint } from './endpoint-source.ts';
import { answeredHeaders, forwardedHeaders } from './headers.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import type { ProxyBudget } from './proxy-budget.ts';
import { type ProxyTarget, urlAt } from './target.ts';

export interface ProxiedCallParts {
  exchange: Exchange;
  target: ProxyTarget;
  endpoints: readonly ProxiedEndpoint[];
  body: Buffer | Readable;
  isRepeatable: boolean;
  policy: AddressPolicy;
  instances: Instances;
  connections: ServiceConnections;
  budget: ProxyBudget;
  clock: Clock;
}

/** All attempts together, until an answer begins, milliseconds. */
const WHOLE_MS = 30_000;
/** Where one is called that does not answer: for one that may be asked elsewhere instead. */
const ATTEMPT_MS = 10_000;
/** Other addresses that are tried after the first. */
const MOST_RETRIES = 5;
/** An answer so small is held until it is whole, so that one that breaks off can be asked for elsewhere, bytes. */
const HELD_BYTES = 65_536;
/** A server, or what stands before it, says that it did not do it. */
const AGAIN: ReadonlySet<number | undefined> = new Set([502, 503, 504]);

interface Answered {
  answer: IncomingMessage;
  body: Buffer | undefined;
}

/** One request on its way: tried at one address after the other until one answers. */
export class ProxiedCall {
  /** What the caller was answered by the service; undefined while, or when, there was no answer. */
  status: number | undefined;
  /** Whose answer it was. */
  servedBy: string | undefined;
  attempts = 0;
  readonly #tried = new Set<Instance>();
  readonly #gone = new AbortController();

  constructor(private readonly parts: ProxiedCallParts) {
    const { signal } = parts.exchange;
    signal.addEventListener('abort', () => this.#gone.abort(), { once: true });
    if (signal.aborted) this.#gone.abort();
  }

  async run(): Promise<void> {
    const { clock, budget } = this.parts;
    const endMs = clock.nowMs() + WHOLE_MS;
    budget.called();
    let failure: Error | undefined;
    while (this.attempts <= MOST_RETRIES && clock.nowMs() < endMs) {
      if (failure && !this.#mayTryAgain(failure)) break;
      const instance = this.#choose();
      if (!instance) break;
      try {
        if (await this.#attempt(instance, Math.min(ATTEMPT_MS, endMs - clock.nowMs()))) return;
        failure = new AttemptFailed('it said that it could not', true, false);
      } catch (error) {
        if (this.parts.exchange.response.headersSent) throw error;
        failure = error as Error;
      }
      if (this.#gone.signal.aborted) throw failure;
    }
    throw this.#refusal(failure);
  }

  #choose(): Instance | undefined {
    const { instances, endpoints, isRepeatable, clock } = this.parts;
    return instances.choose(endpoints, this.#tried, isRepeatable, clock.nowMs());
  }

  /** What cannot have been seen is sent elsewhere freely; what may have been, only when it may be done twice, and within the budget. */
  #mayTryAgain(failure: Error): boolean {
    const { body, isRepeatable, budget } = this.parts;
    if (!Buffer.isBuffer(body)) return false;
    const wasSent = failure instanceof AttemptFailed && failure.wasSent;
    return !wasSent || (isRepeatable && budget.take());
  }

  /** @returns whether the caller was answered; false: the service said that somebody else may do it */
  async #attempt(instance: Instance, timeoutMs: number): Promise<boolean> {
    const { clock, isRepeatable, endpoints } = this.parts;
    this.#tried.add(instance);
    this.attempts += 1;
    const end = instance.begin(clock.nowMs());
    if (!end) throw new AttemptFailed('it is resting', false, false);
    try {
      const { answer, body } = await this.#ask(instance, timeoutMs);
      const failed = AGAIN.has(answer.statusCode);
      end(failed ? { failed, reason: `it answered ${answer.statusCode}` } : { failed: false }, clock.nowMs());
      if (failed && isRepeatable && this.#tried.size < endpoints.length && this.attempts <= MOST_RETRIES) {
        answer.resume();
        return false;
      }
      await this.#tell(instance, { answer, body });
      return true;
    } catch (error) {
      const left = this.#gone.signal.aborted || asFleetError(error);
      end(left ? undefined : { failed: true, reason: messageOf(error) }, clock.nowMs());
      throw error;
    }
  }

  async #ask({ endpoint }: Instance, timeoutMs: number): Promise<Answered> {
    const { exchange, target, policy, connections, body, isRepeatable } = this.parts;
    const url = urlAt(endpoint.url, target);
    const address = await policy.addressOf(url.hostname);
    const { request, call } = exchange;
    const answer = await connections.send({
      ...{ url, address, body, timeoutMs },
      method: request.method ?? 'GET',
      headers: forwardedHeaders(request, call),
      signal: this.#gone.signal,
    });
    if (!isRepeatable || request.method === 'HEAD') return { answer, body: undefined };
    const held = await smallBody(answer, HELD_BYTES).catch((error: unknown) => {
      throw new AttemptFailed(messageOf(error), true, false);
    });
    return { answer, body: held };
  }

  async #tell({ endpoint }: Instance, { answer, body }: Answered): Promise<void> {
    const { response, call } = this.parts.exchange;
    this.status = answer.statusCode ?? 502;
    this.servedBy = endpoint.id;
    response.writeHead(this.status, answeredHeaders(answer.headers, endpoint.name, call.requestId));
    if (body) response.end(body);
    else await pipeline(answer, response);
  }

  #refusal(failure: Error | undefined): Error {
    const { instances, endpoints, clock, target } = this.parts;
    const known = asFleetError(failure);
    if (known || failure instanceof HttpRefusal) return known ?? (failure as Error);
    if (failure instanceof AttemptFailed && failure.timedOut) {
      const late = new FleetError('TIMEOUT', `${target.service} did not answer in time`, { retryAfterMs: 1_000 });
      return new HttpRefusal(504, late, { 'retry-after': '1' });
    }
    const restMs = Math.max(1_000, instances.restMs(endpoints, clock.nowMs()));
    const sentence = `${target.service} was asked at ${this.attempts} of its addresses, and none answered`;
    const down = new FleetError('SUBGRAPH_UNAVAILABLE', sentence, { retryAfterMs: restMs });
    const wasSent = failure instanceof AttemptFailed && failure.wasSent;
    return new HttpRefusal(wasSent ? 502 : 503, down, { 'retry-after': String(Math.ceil(restMs / 1_000)) });
  }
}
