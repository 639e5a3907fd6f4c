import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Wire } from '../wire/wire.ts';
import type { BreakerEffect, BreakerEvent, BreakerOverride, BreakerPhase, BreakerPolicy } from './breaker.ts';
import { LastMinute } from './last-minute.ts';
import { Pass } from './pass.ts';
import type { Replica } from './replica.ts';
import { ReplicaSet, type ReplicaWish } from './replica-set.ts';
import { TokenBucket } from './token-bucket.ts';

/** A breaker that went from one phase to another. */
export interface BreakerMove {
  subgraph: string;
  /** The number of the one replica whose own breaker it is, where there are several; undefined: the subgraph's. */
  replica?: number;
  from: BreakerPhase;
  to: BreakerPhase;
  reason: string;
  occurredAtMs: number;
  /** Whether somebody forced it; otherwise it moved by itself. */
  forced: boolean;
  /** Whether another router said so: that one audits it. */
  told: boolean;
}

/** A subgraph's breaker as it stands. */
export interface CircuitState {
  phase: BreakerPhase;
  override: BreakerOverride;
  /** When an override by force ends by itself. */
  overrideUntilMs: number | undefined;
  sinceMs: number;
  /** While open: when one call is let through. */
  nextProbeAtMs: number | undefined;
  reason: string | undefined;
}

/** What somebody decided about a breaker. */
export interface Forced {
  override: BreakerOverride;
  untilMs: number | undefined;
  reason: string;
}

export interface CircuitOptions {
  breaker: BreakerPolicy;
  limitPerSecond: number;
  clock: Clock;
  /** Told of every move of the subgraph's breaker, after it took effect. */
  onMove(move: BreakerMove): void;
  /** Told of the moves of replicas' breakers that they made by themselves, where there are several. */
  onReplicaMove?(move: BreakerMove): void;
  /** Told of what somebody decided here. */
  onForce?(forced: Forced): void;
}

type Moved = Extract<BreakerEffect, { kind: 'moved' }>;

const HISTORY = 100;
const ASK_AGAIN_MS = 1_000;

/**
 * Everything that stands before one subgraph: its replicas, each with a breaker, its rate, and the figures of the last minute.
 * The subgraph's own breaker is what its replicas' come to: CLOSED while one of them is, HALF_OPEN while one is being
 * tried and none is closed, else OPEN. Force is upon all of them, those that come later included.
 */
export class Circuit {
  readonly #replicas: ReplicaSet;
  #phase: BreakerPhase = 'CLOSED';
  #sinceMs: number;
  #reason: string | undefined;
  #forced: Forced | undefined;
  /** Whether it is open because another router said so. */
  #wasToldOpen = false;
  #refused: { atMs: number; error: FleetError } | undefined;
  #inFlight = 0;
  readonly #history: BreakerMove[] = [];
  readonly #minute = new LastMinute();
  readonly #bucket: TokenBucket;

  constructor(
    readonly subgraph: string,
    private readonly options: CircuitOptions,
  ) {
    const { clock, limitPerSecond, breaker } = options;
    this.#sinceMs = clock.nowMs();
    this.#bucket = new TokenBucket(limitPerSecond, clock.nowMs());
    const moved = (replica: Replica, effect: Moved, { kind }: BreakerEvent, nowMs: number) => {
      this.#tellReplica(replica, effect, kind, nowMs);
      this.#settlePhase(effect.reason, kind, nowMs);
    };
    this.#replicas = new ReplicaSet(breaker, moved, () => clock.random());
  }

  get replicas(): readonly Replica[] {
    return this.#replicas.all;
  }

  get state(): CircuitState {
    const nowMs = this.options.clock.nowMs();
    this.#replicas.step({ kind: 'looked' }, nowMs);
    const forced = this.#forcedAt(nowMs);
    return {
      phase: this.#phase,
      override: forced?.override ?? 'AUTO',
      overrideUntilMs: forced?.untilMs,
      sinceMs: this.#sinceMs,
      nextProbeAtMs: this.#phase === 'OPEN' ? this.#replicas.nextProbeAtMs() : undefined,
      reason: this.#phase === 'CLOSED' ? undefined : this.#reason,
    };
  }

  /** The last moves, the newest last. */
  get history(): readonly BreakerMove[] {
    return this.#history;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get limitPerSecond(): number {
    return this.#bucket.ratePerSecond;
  }

  get failureRatio(): number {
    return this.#replicas.failureRatio(this.options.clock.nowMs());
  }

  figures() {
    return this.#minute.figures(this.options.clock.nowMs());
  }

  setLimit(perSecond: number): void {
    this.#bucket.setRate(perSecond, this.options.clock.nowMs());
  }

  /** Takes exactly these as its replicas. @returns those that are none any more: they are to be drained */
  setReplicas(urls: readonly string[], wireOf: (url: string) => Wire): readonly Replica[] {
    const nowMs = this.options.clock.nowMs();
    const { came, went } = this.#replicas.set(urls, wireOf, nowMs);
    const forced = this.#forcedAt(nowMs);
    if (forced) for (const replica of came) replica.step(forcing(forced), nowMs);
    this.#settlePhase(urls.length === 0 ? 'it has no replica' : 'its replicas changed', 'looked', nowMs);
    return went;
  }

  /** @param untilMs when the override ends by itself, epoch milliseconds */
  force(override: BreakerOverride, reason: string, untilMs?: number): void {
    const forced = { override, untilMs, reason };
    this.adopt(forced);
    this.options.onForce?.(forced);
  }

  /** Takes what somebody decided, here or at another router. */
  adopt(forced: Forced): void {
    this.#forced = forced.override === 'AUTO' ? undefined : forced;
    this.#replicas.step(forcing(forced), this.options.clock.nowMs());
  }

  /** Another router found it broken, or well again; what was found here is not given up for that. */
  hear(phase: 'OPEN' | 'CLOSED', reason: string): void {
    if (phase === 'CLOSED' && !this.#wasToldOpen) return;
    this.#replicas.step({ kind: 'told', phase, reason }, this.options.clock.nowMs());
  }

  /** Whether a healthy replica beside this one could be asked. */
  hasOther(replica: Replica): boolean {
    return this.#replicas.all.some((other) => other !== replica && other.isHealthy);
  }

  /** Whether no replica would take a call now. */
  isResting(nowMs: number): boolean {
    return this.#phase !== 'CLOSED' && !this.#replicas.isProbeDue(nowMs);
  }

  /** @throws SUBGRAPH_UNAVAILABLE at once if no replica would take a call now */
  refuseIfOpen(nowMs: number): void {
    if (this.isResting(nowMs)) throw this.refusal(nowMs);
  }

  /** What callers are told while it is open; all of one millisecond the same, for an error is dear to make. */
  refusal(nowMs: number): FleetError {
    if (this.#refused?.atMs !== nowMs) this.#refused = { atMs: nowMs, error: this.#newRefusal(nowMs) };
    return this.#refused.error;
  }

  /**
   * Asks to make one call.
   * @throws SUBGRAPH_UNAVAILABLE while open, RATE_LIMITED beyond the subgraph's rate; both with `retryAfterMs`
   */
  enter(nowMs: number, wish: ReplicaWish): Pass {
    const replica = this.#replicas.choose(nowMs, wish);
    const answer = replica?.step(ASKED, nowMs).at(-1);
    if (!replica || answer?.kind !== 'admitted') throw this.refusal(nowMs);
    // The probe is not held back: it is what brings the subgraph back.
    const retryAfterMs = answer.probe ? 0 : this.#bucket.take(nowMs);
    if (retryAfterMs > 0) {
      const { subgraph } = this;
      throw new FleetError('RATE_LIMITED', `${subgraph} has had its calls of this second`, { subgraph, retryAfterMs });
    }
    this.#inFlight += 1;
    return new Pass(replica, this, answer.probe, nowMs);
  }

  /** A call ended with an outcome. */
  ended(tookMs: number, failed: boolean, nowMs: number): void {
    this.#inFlight -= 1;
    this.#minute.record(nowMs, tookMs, failed);
  }

  /** A call's caller left. */
  left(): void {
    this.#inFlight -= 1;
  }

  #newRefusal(nowMs: number): FleetError {
    const { subgraph } = this;
    const { untilMs } = this.#forcedAt(nowMs) ?? {};
    const againAtMs = untilMs ?? this.#replicas.nextProbeAtMs() ?? 0;
    const retryAfterMs = againAtMs > nowMs ? againAtMs - nowMs : ASK_AGAIN_MS;
    return new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} is resting after failures`, { subgraph, retryAfterMs });
  }

  #forcedAt(nowMs: number): Forced | undefined {
    const { untilMs = Number.POSITIVE_INFINITY } = this.#forced ?? {};
    return nowMs < untilMs ? this.#forced : undefined;
  }

  #tellReplica(replica: Replica, { from, to, reason }: Moved, cause: BreakerEvent['kind'], occurredAtMs: number): void {
    const by = { forced: cause === 'forced', told: cause === 'told' };
    const move = { subgraph: this.subgraph, replica: replica.ordinal, from, to, reason, occurredAtMs, ...by };
    replica.remember(move);
    if (this.#replicas.all.length > 1 && !move.forced && !move.told) this.options.onReplicaMove?.(move);
  }

  #settlePhase(reason: string, cause: BreakerEvent['kind'], occurredAtMs: number): void {
    const from = this.#phase;
    const to = this.#replicas.phase;
    if (to !== 'CLOSED') this.#reason = reason;
    if (from === to) return;
    this.#phase = to;
    if (to === 'OPEN') this.#wasToldOpen = cause === 'told';
    this.#sinceMs = occurredAtMs;
    const by = { forced: cause === 'forced', told: cause === 'told' };
    const move = { subgraph: this.subgraph, from, to, reason, occurredAtMs, ...by };
    this.#history.push(move);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.options.onMove(move);
  }
}

const ASKED: BreakerEvent = { kind: 'asked' };

function forcing({ override, untilMs, reason }: Forced): BreakerEvent {
  return { kind: 'forced', override, reason, ...(untilMs === undefined ? {} : { untilMs }) };
}
