import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { GraphRequest } from '../engine.ts';
import { weightOf } from '../execute/subgraph-request.ts';
import type { BreakerPolicy } from './breaker.ts';
import { BREAKER_POLICY } from './breaker.ts';
import { Bulkhead, type BulkheadPolicy } from './bulkhead.ts';
import { type BreakerMove, Circuit, type Forced } from './circuit.ts';
import { CONCURRENCY_POLICY } from './concurrency.ts';
import { earned, RETRY_POLICY, type RetryPolicy, spent } from './retry-budget.ts';

export interface GuardLimits {
  /** How long one call may take, milliseconds. */
  timeoutMs: number;
  /** Calls a second to one subgraph. */
  limitPerSecond: number;
  /** The largest answer taken, bytes. */
  maxAnswerBytes: number;
  /** A stream whose upstream says nothing for so long is lost, milliseconds. Upstreams beat every 10 s. */
  silenceMs: number;
  /** How long streams stay on a replica that leaves, milliseconds. */
  drainMs: number;
  breaker: BreakerPolicy;
  bulkhead: BulkheadPolicy;
  retry: RetryPolicy;
}

export const GUARD_LIMITS: GuardLimits = {
  timeoutMs: 5_000,
  limitPerSecond: 5_000,
  maxAnswerBytes: 10_000_000,
  silenceMs: 25_000,
  drainMs: 2_000,
  breaker: BREAKER_POLICY,
  bulkhead: { ...CONCURRENCY_POLICY, mostWaiting: 2_000, waitMs: 1_000 },
  retry: RETRY_POLICY,
};

/** What one subgraph is to the whole. */
export interface SubgraphPolicy {
  /** `required`: a query that asks it and gets no answer is refused whole. Otherwise its fields are null, with an error. */
  need?: 'required' | 'optional' | undefined;
  /** For so long an answer may be served again when there is no fresh one, milliseconds; 0: never. */
  staleIfErrorMs?: number | undefined;
  /** How long one call may take, where that is not the same for all, milliseconds. */
  timeoutMs?: number | undefined;
  /** Calls a second that all routers with one limit store make to it together. */
  callsPerSecond?: number | undefined;
}

/** One attempt that ended, for metrics. */
export interface CallReport {
  subgraph: string;
  /** Which of its replicas: a number that tells no address. */
  replica: number;
  tookMs: number;
  outcome: 'ok' | 'failed' | 'abandoned';
}

/**
 * Draws a call on what all routers may ask of a subgraph.
 * @param weight how many it counts for
 * @throws RATE_LIMITED with `retryAfterMs`
 */
export type DrawCall = (subgraph: string, perSecond: number, weight: number) => unknown;

export interface LaneOptions {
  policy: SubgraphPolicy;
  drawCall?: DrawCall | undefined;
  limits: GuardLimits;
  clock: Clock;
  /** Whether a failed query of this caller may be sent once more. */
  mayRetry(call: Call): boolean;
  /** Whether this caller may be served an older answer. */
  mayServeStale(call: Call): boolean;
  onMove(move: BreakerMove): void;
  onForce(subgraph: string, forced: Forced): void;
  onCall(report: CallReport): void;
}

/** Everything that is kept of one subgraph: what may pass, how many at once, and who is told. */
export class Lane {
  readonly circuit: Circuit;
  readonly bulkhead: Bulkhead;
  readonly policy: SubgraphPolicy;
  /** Whether it is neither required nor ever served stale. */
  readonly isPlain: boolean;
  readonly limits: GuardLimits;
  readonly clock: Clock;
  #credit = 0;

  constructor(
    readonly subgraph: string,
    private readonly options: LaneOptions,
  ) {
    const { policy, clock } = options;
    const limits = { ...options.limits, timeoutMs: policy.timeoutMs ?? options.limits.timeoutMs };
    this.policy = policy;
    this.isPlain = policy.need !== 'required' && !policy.staleIfErrorMs;
    this.limits = limits;
    this.clock = clock;
    this.bulkhead = new Bulkhead(subgraph, limits.bulkhead, clock);
    const { breaker, limitPerSecond } = limits;
    const onForce = (forced: Forced) => options.onForce(subgraph, forced);
    const onMove = (move: BreakerMove) => this.#moved(move);
    const onReplicaMove = (move: BreakerMove) => options.onMove(move);
    this.circuit = new Circuit(subgraph, { breaker, limitPerSecond, clock, onMove, onReplicaMove, onForce });
  }

  /** One more call, before its first attempt. */
  called(): void {
    this.#credit = earned(this.#credit, this.limits.retry);
  }

  /** Whether a second attempt may be made for this caller; if so it is paid for. */
  tryAgain(call: Call): boolean {
    if (!this.options.mayRetry(call)) return false;
    const left = spent(this.#credit);
    if (left === undefined) return false;
    this.#credit = left;
    return true;
  }

  /** Draws a call on what all routers together may ask of it, unless it rests. @throws RATE_LIMITED, SUBGRAPH_UNAVAILABLE */
  async draw(perSecond: number, request: GraphRequest): Promise<void> {
    this.circuit.refuseIfOpen(this.clock.nowMs());
    await this.options.drawCall?.(this.subgraph, perSecond, weightOf(request));
  }

  mayServeStale(call: Call): boolean {
    return this.options.mayServeStale(call);
  }

  report(replica: number, startedMs: number, nowMs: number, outcome: CallReport['outcome']): void {
    this.options.onCall({ subgraph: this.subgraph, replica, tookMs: nowMs - startedMs, outcome });
  }

  #moved(move: BreakerMove): void {
    if (move.to === 'OPEN') this.bulkhead.refuseWaiting(() => this.circuit.refusal(move.occurredAtMs));
    this.options.onMove(move);
  }
}

/** Whether it changes nothing, as a planner writes it; in doubt it does. */
export function isQuery({ query }: GraphRequest): boolean {
  return query.startsWith('{') || query.startsWith('query');
}
