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
}

/** Whether this router can answer for all its subgraphs, found out by asking them. */
export class Readiness {
  #asking: Promise<ReadinessReport> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ReadinessOptions) {}

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
    return { ready: isWhole && subgraphs.every(({ ready }) => ready), subgraphs };
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
