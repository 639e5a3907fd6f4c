import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import {
  type BreakerEffect,
  type BreakerEvent,
  type BreakerOverride,
  type BreakerPhase,
  type BreakerPolicy,
  type BreakerState,
  closedBreaker,
  failureRatio,
  stepBreaker,
} from './breaker.ts';
import { LastMinute } from './last-minute.ts';
import { TokenBucket } from './token-bucket.ts';

/** A breaker that went from one phase to another. */
export interface BreakerMove {
  subgraph: string;
  from: BreakerPhase;
  to: BreakerPhase;
  reason: string;
  occurredAtMs: number;
  /** Whether somebody forced it; otherwise it moved by itself. */
  forced: boolean;
}

/** How a call ended, as the breaker sees it. */
export type Outcome = { failed: false } | { failed: true; reason: string };

/** Permission for one call. Exactly one of its methods is to be called, once. */
export interface Pass {
  settle(outcome: Outcome): void;
  /** The caller left: no outcome. */
  abandon(): void;
}

/** Everything that stands before one subgraph: breaker, rate, and the figures of the last minute. */
export class Circuit {
  #state: BreakerState;
  #inFlight = 0;
  readonly #minute = new LastMinute();
  readonly #bucket: TokenBucket;

  /** @param onMove told of every move, after it took effect */
  constructor(
    readonly subgraph: string,
    private readonly policy: BreakerPolicy,
    limitPerSecond: number,
    private readonly clock: Clock,
    private readonly onMove: (move: BreakerMove) => void,
  ) {
    this.#state = closedBreaker(clock.nowMs());
    this.#bucket = new TokenBucket(limitPerSecond, clock.nowMs());
  }

  get state(): BreakerState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get limitPerSecond(): number {
    return this.#bucket.ratePerSecond;
  }

  get failureRatio(): number {
    return failureRatio(this.#state, this.clock.nowMs(), this.policy);
  }

  figures() {
    return this.#minute.figures(this.clock.nowMs());
  }

  setLimit(perSecond: number): void {
    this.#bucket.setRate(perSecond, this.clock.nowMs());
  }

  /** @param untilMs when the override ends by itself, epoch milliseconds */
  force(override: BreakerOverride, reason: string, untilMs?: number): void {
    this.#step({ kind: 'forced', override, reason, ...(untilMs === undefined ? {} : { untilMs }) });
  }

  /**
   * Asks to make one call.
   * @throws SUBGRAPH_UNAVAILABLE while open, RATE_LIMITED beyond the subgraph's rate; both with `retryAfterMs`
   */
  enter(): Pass {
    const answer = this.#step({ kind: 'asked' }).find(({ kind }) => kind === 'admitted' || kind === 'refused');
    const { subgraph } = this;
    if (answer?.kind === 'refused') {
      const { retryAfterMs } = answer;
      throw new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} is resting after failures`, { subgraph, retryAfterMs });
    }
    const probe = answer?.kind === 'admitted' && answer.probe;
    // The probe is not held back: it is what brings the subgraph back.
    const retryAfterMs = probe ? 0 : this.#bucket.take(this.clock.nowMs());
    if (retryAfterMs > 0) {
      throw new FleetError('RATE_LIMITED', `${subgraph} has had its calls of this second`, { subgraph, retryAfterMs });
    }
    return this.#pass(probe);
  }

  #pass(probe: boolean): Pass {
    const startedMs = this.clock.nowMs();
    this.#inFlight += 1;
    return {
      settle: (outcome) => {
        this.#inFlight -= 1;
        this.#minute.record(this.clock.nowMs(), this.clock.nowMs() - startedMs, outcome.failed);
        this.#step(outcome.failed ? { kind: 'failed', probe, reason: outcome.reason } : { kind: 'succeeded', probe });
      },
      abandon: () => {
        this.#inFlight -= 1;
        this.#step({ kind: 'abandoned', probe });
      },
    };
  }

  #step(event: BreakerEvent): readonly BreakerEffect[] {
    const occurredAtMs = this.clock.nowMs();
    const [state, effects] = stepBreaker(this.#state, event, occurredAtMs, this.policy);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind !== 'moved') continue;
      const { from, to, reason } = effect;
      this.onMove({ subgraph: this.subgraph, from, to, reason, occurredAtMs, forced: event.kind === 'forced' });
    }
    return effects;
  }
}
