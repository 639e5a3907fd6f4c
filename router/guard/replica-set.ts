import { lessLoadedOfTwo } from '../balance/two-choices.ts';
import type { Wire } from '../wire/wire.ts';
import { type BreakerEvent, type BreakerPhase, type BreakerPolicy, outcomesOf } from './breaker.ts';
import { type OnReplicaMove, Replica } from './replica.ts';

/** How a caller asks for a replica. */
export interface ReplicaWish {
  /** Whether the call may be the one that finds out if a broken replica is back while others live. */
  mayProbe: boolean;
  /** It stays: replicas are weighed by the streams they have, not by latency. */
  isStream?: boolean;
  /** Not this one again, if there is another. */
  avoid?: Replica | undefined;
}

/** The replicas of one subgraph, and which of them a call goes to. */
export class ReplicaSet {
  #all: readonly Replica[] = [];
  #ordinals = 0;

  constructor(
    private readonly policy: BreakerPolicy,
    private readonly onMove: OnReplicaMove,
    private readonly random: () => number,
  ) {}

  get all(): readonly Replica[] {
    return this.#all;
  }

  /** CLOSED while one is, HALF_OPEN while one is being tried and none is closed, else OPEN. */
  get phase(): BreakerPhase {
    let phase: BreakerPhase = 'OPEN';
    for (const replica of this.#all) {
      if (replica.isHealthy) return 'CLOSED';
      if (replica.state.phase === 'HALF_OPEN') phase = 'HALF_OPEN';
    }
    return phase;
  }

  /** Takes exactly these addresses. @returns replicas that came and went */
  set(urls: readonly string[], wireOf: (url: string) => Wire, nowMs: number): { came: Replica[]; went: Replica[] } {
    const known = new Map(this.#all.map((replica) => [replica.address, replica]));
    const came: Replica[] = [];
    const next = [...new Set(urls)].map((url) => {
      const kept = known.get(url);
      known.delete(url);
      if (kept) return kept;
      const fresh = new Replica(url, this.#ordinals++, wireOf(url), this.policy, this.onMove, nowMs);
      came.push(fresh);
      return fresh;
    });
    this.#all = next;
    return { came, went: [...known.values()] };
  }

  step(event: BreakerEvent, nowMs: number): void {
    for (const replica of this.#all) replica.step(event, nowMs);
  }

  /**
   * One whose rest is over is tried first, by a call that can be repeated elsewhere; then the less loaded of two healthy
   * ones; then whatever is left, to be refused by its breaker.
   */
  choose(nowMs: number, { mayProbe, isStream, avoid }: ReplicaWish): Replica | undefined {
    const all = this.#all;
    if (all.length <= 1) return all[0];
    const due = all.find((replica) => replica !== avoid && replica.isProbeDue(nowMs));
    if (due && mayProbe) return due;
    const healthy = lessLoadedOfTwo(
      all,
      (replica) => replica.isHealthy && replica !== avoid,
      (replica) => (isStream ? replica.streams.size : replica.load(nowMs)),
      this.random,
    );
    return healthy ?? (avoid?.isHealthy ? avoid : (due ?? all[0]));
  }

  isProbeDue(nowMs: number): boolean {
    return this.#all.some((replica) => replica.isProbeDue(nowMs));
  }

  /** When the first of them may be tried again; undefined when none rests. */
  nextProbeAtMs(): number | undefined {
    let nextMs: number | undefined;
    for (const { state } of this.#all) {
      const atMs = state.override === 'OPEN' ? undefined : state.nextProbeAtMs;
      if (atMs !== undefined && (nextMs === undefined || atMs < nextMs)) nextMs = atMs;
    }
    return nextMs;
  }

  /** Share of failures among the outcomes in their windows, 0 to 1. */
  failureRatio(nowMs: number): number {
    let calls = 0;
    let failures = 0;
    for (const { state } of this.#all) {
      const outcomes = outcomesOf(state, nowMs, this.policy);
      calls += outcomes.calls;
      failures += outcomes.failures;
    }
    return calls === 0 ? 0 : failures / calls;
  }
}
