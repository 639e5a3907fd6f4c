import { type LatencyEstimate, loadOf, observed, unknownLatency } from '../balance/peak-ewma.ts';
import { type BreakerPolicy, type BreakerState, closedBreaker, isProbeDue, stepBreaker } from '../guard/breaker.ts';
import type { ProxiedEndpoint } from './endpoint-source.ts';

/**
 * When an instance is left alone: two failures in a row, for there are others. Source: Envoy's outlier detection
 * (consecutive_local_origin_failure), whose rest doubles too.
 */
const POLICY: BreakerPolicy = {
  windowMs: 10_000,
  minimumCalls: 5,
  failureRatio: 0.5,
  failuresInRow: 2,
  restMs: 500,
  maxRestMs: 10_000,
};
/** A failure is taken to cost so long: one that refuses quickly must not look fast. */
const FAILURE_COST_MS = 1_000;

/** How a call went: undefined when its caller left before there was an outcome. */
export type CallOutcome = { failed: false } | { failed: true; reason: string } | undefined;

/** One address of a service: its breaker, its latency, and what is under way there. */
export class Instance {
  #state: BreakerState;
  #latency: LatencyEstimate;
  #inFlight = 0;

  constructor(
    public endpoint: ProxiedEndpoint,
    nowMs: number,
  ) {
    this.#state = closedBreaker(nowMs);
    this.#latency = unknownLatency(nowMs);
  }

  get isHealthy(): boolean {
    return this.#state.phase === 'CLOSED';
  }

  get nextProbeAtMs(): number | undefined {
    return this.#state.nextProbeAtMs;
  }

  isProbeDue(nowMs: number): boolean {
    return isProbeDue(this.#state, nowMs);
  }

  /** What one more call would meet there; an unwell one counts as more loaded. */
  load(nowMs: number): number {
    return (loadOf(this.#latency, this.#inFlight, nowMs) + 1) / this.endpoint.weight;
  }

  /** @returns ends the call; undefined when its breaker refuses it */
  begin(nowMs: number): ((outcome: CallOutcome, endedMs: number) => void) | undefined {
    const [state, effects] = stepBreaker(this.#state, { kind: 'asked' }, nowMs, POLICY);
    this.#state = state;
    const admitted = effects.find((effect) => effect.kind === 'admitted');
    if (!admitted) return undefined;
    const { probe } = admitted;
    this.#inFlight += 1;
    return (outcome, endedMs) => {
      this.#inFlight -= 1;
      const event = !outcome
        ? ({ kind: 'abandoned', probe } as const)
        : outcome.failed
          ? ({ kind: 'failed', probe, reason: outcome.reason } as const)
          : ({ kind: 'succeeded', probe } as const);
      [this.#state] = stepBreaker(this.#state, event, endedMs, POLICY);
      if (!outcome) return;
      const tookMs = endedMs - nowMs;
      this.#latency = observed(this.#latency, outcome.failed ? Math.max(tookMs, FAILURE_COST_MS) : tookMs, endedMs);
    };
  }
}
