import { type LatencyEstimate, loadOf, observed, unknownLatency } from '../balance/peak-ewma.ts';
import type { WireStream } from '../wire/streamed-answer.ts';
import type { Wire } from '../wire/wire.ts';
import {
  type BreakerEffect,
  type BreakerEvent,
  type BreakerPolicy,
  type BreakerState,
  closedBreaker,
  failureRatio,
  isProbeDue,
  stepBreaker,
} from './breaker.ts';
import type { BreakerMove } from './circuit.ts';
import { LastMinute } from './last-minute.ts';

/** A failure is taken to cost so long: one that refuses quickly must not look fast. */
const FAILURE_COST_MS = 1_000;

/** Moves of its breaker that are remembered. */
const HISTORY = 100;

/** Told of every step of a replica's breaker from one phase to another. */
export type OnReplicaMove = (
  replica: Replica,
  effect: Extract<BreakerEffect, { kind: 'moved' }>,
  event: BreakerEvent,
  nowMs: number,
) => void;

/** One address of a subgraph: its connections, its breaker, its latency, and what is under way there. */
export class Replica {
  readonly streams = new Set<WireStream>();
  readonly #history: BreakerMove[] = [];
  /** Rises when something else than its own calls moved its breaker: a probe from before is none any more. */
  epoch = 0;
  #state: BreakerState;
  #latency: LatencyEstimate;
  #inFlight = 0;
  /** Set while it is being drained: told once, when it is done. */
  #onDrained: (() => void) | undefined;
  #grace: NodeJS.Timeout | undefined;
  readonly #minute = new LastMinute();

  /**
   * @param address as it was given
   * @param ordinal its number within its subgraph: a name for metrics, that tells no address
   */
  constructor(
    readonly address: string,
    readonly ordinal: number,
    readonly wire: Wire,
    private readonly policy: BreakerPolicy,
    private readonly onMove: OnReplicaMove,
    nowMs: number,
  ) {
    this.#state = closedBreaker(nowMs);
    this.#latency = unknownLatency(nowMs);
  }

  get url(): string {
    return this.wire.url;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** The last moves of its breaker, the newest last. */
  get history(): readonly BreakerMove[] {
    return this.#history;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isHealthy(): boolean {
    return this.#state.phase === 'CLOSED';
  }

  /** Share of failures among the outcomes its breaker judges by, 0 to 1. */
  failureRatio(nowMs: number): number {
    return failureRatio(this.#state, nowMs, this.policy);
  }

  remember(move: BreakerMove): void {
    this.#history.push(move);
    if (this.#history.length > HISTORY) this.#history.shift();
  }

  p50Ms(nowMs: number): number {
    return this.#minute.figures(nowMs).p50Ms;
  }

  load(nowMs: number): number {
    return loadOf(this.#latency, this.#inFlight, nowMs);
  }

  isProbeDue(nowMs: number): boolean {
    return isProbeDue(this.#state, nowMs);
  }

  step(event: BreakerEvent, nowMs: number): readonly BreakerEffect[] {
    const [state, effects] = stepBreaker(this.#state, event, nowMs, this.policy);
    this.#state = state;
    if (event.kind === 'forced' || event.kind === 'told') this.epoch += 1;
    for (const effect of effects) if (effect.kind === 'moved') this.onMove(this, effect, event, nowMs);
    return effects;
  }

  began(): void {
    this.#inFlight += 1;
  }

  /** A call ended. @param failed undefined when its caller left before there was an outcome */
  ended(startedMs: number, nowMs: number, failed: boolean | undefined): void {
    this.#inFlight -= 1;
    if (failed !== undefined) {
      const tookMs = nowMs - startedMs;
      this.#latency = observed(this.#latency, failed ? Math.max(tookMs, FAILURE_COST_MS) : tookMs, nowMs);
      this.#minute.record(nowMs, tookMs, failed);
    }
    this.#closeIfDone();
  }

  addStream(stream: WireStream): void {
    this.streams.add(stream);
  }

  removeStream(stream: WireStream): void {
    this.streams.delete(stream);
    this.#closeIfDone();
  }

  /**
   * Takes no new calls: those under way end, streams are ended after a grace, so that they go on elsewhere.
   * @param graceMs how long streams stay, milliseconds
   * @param onDrained told once it is done and closed
   */
  drain(graceMs: number, onDrained: () => void): void {
    this.#onDrained = onDrained;
    if (this.streams.size > 0) {
      this.#grace = setTimeout(() => {
        for (const stream of [...this.streams]) stream.destroy(new Error('its replica left'));
      }, graceMs);
    }
    this.#closeIfDone();
  }

  /** Ends its connections, whatever is under way. */
  close(): void {
    clearTimeout(this.#grace);
    this.wire.close();
  }

  #closeIfDone(): void {
    if (!this.#onDrained || this.#inFlight > 0 || this.streams.size > 0) return;
    this.#onDrained();
    this.close();
  }
}
