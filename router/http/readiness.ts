import type { HouseClient } from '../../lib/call/house-client.ts';
import { type Principal, systemPrincipal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError } from '../../lib/errors.ts';
import { type Engine, isRefused } from '../engine.ts';
import type { Guard } from '../guard/guard.ts';

const TIMEOUT_MS = 3_000;
/** An outcome is good for so long: the question is open to everybody and must not become work for all houses. */
const FRESH_MS = 250;

export interface SubgraphReadiness {
  name: string;
  ready: boolean;
  breaker: string;
  /** Only told to those who have a credential. */
  reason?: string;
}

export interface ReadinessReport {
  ready: boolean;
  subgraphs: SubgraphReadiness[];
}

export interface ReadinessOptions {
  engine: Engine;
  guard: Guard;
  clock: Clock;
  /** A query over all subgraphs, or nothing: then each is asked for `{ __typename }`. */
  readyQuery: string | undefined;
  /** Houses that start together with this router, and without which it has not started. None: it has once it listens. */
  houses: readonly HouseClient[];
}

/** Whether this router can answer for all its subgraphs, found out by asking them. */
export class Readiness {
  #asking: Promise<ReadinessReport> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #hasStarted = false;

  constructor(private readonly options: ReadinessOptions) {}

  /**
   * Whether everything has been ready at some time: what fails later is no longer a start. Houses are asked past their breakers
   * first, which would open while those are on their way.
   */
  async hasStarted(): Promise<boolean> {
    const { houses } = this.options;
    if (this.#hasStarted || !houses.length) return true;
    const up = await Promise.all(houses.map((house) => this.#isUp(house)));
    return up.every(Boolean) && (await this.report()).ready;
  }

  report(): Promise<ReadinessReport> {
    const nowMs = this.options.clock.nowMs();
    if (this.#asking && nowMs - this.#askedAtMs < FRESH_MS) return this.#asking;
    this.#askedAtMs = nowMs;
    this.#asking = this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<ReadinessReport> {
    const { readyQuery, clock } = this.options;
    const principal: Principal = systemPrincipal('router');
    const call: Call = { principal, requestId: clock.uuid() };
    const [isWhole, subgraphs] = await Promise.all([
      readyQuery === undefined ? true : this.#answersWhole(readyQuery, call),
      Promise.all([...this.options.guard.circuits.keys()].map((name) => this.#subgraph(name, call))),
    ]);
    const ready = isWhole && subgraphs.every((subgraph) => subgraph.ready);
    this.#hasStarted ||= ready;
    return { ready, subgraphs };
  }

  async #isUp(house: HouseClient): Promise<boolean> {
    const call: Call = { principal: systemPrincipal('router'), requestId: this.options.clock.uuid() };
    return await house.send('GET /readyz', { call, timeoutMs: TIMEOUT_MS }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async #answersWhole(query: string, call: Call): Promise<boolean> {
    const { engine } = this.options;
    const prepared = await engine.prepare({ query });
    if (isRefused(prepared)) return false;
    const answer = await engine.execute(prepared, call, AbortSignal.timeout(TIMEOUT_MS));
    return !answer.errors?.length && answer.data != null;
  }

  async #subgraph(name: string, call: Call): Promise<SubgraphReadiness> {
    const { guard } = this.options;
    const asked = await guard.execute(name, { query: '{ __typename }' }, call, AbortSignal.timeout(TIMEOUT_MS)).then(
      (answer) => ({ ready: answer.data != null, reason: answer.errors?.[0]?.message }),
      (error: unknown) => ({ ready: false, reason: asFleetError(error)?.message ?? 'no answer' }),
    );
    const breaker = guard.circuits.get(name)?.state.phase ?? 'CLOSED';
    return { name, ready: asked.ready, breaker, ...(asked.reason === undefined ? {} : { reason: asked.reason }) };
  }
}
