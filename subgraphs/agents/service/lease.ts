import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';

/** How long silence means what. */
export interface LeaseTerms {
  /** How often an agent beats, milliseconds. */
  beatEveryMs: number;
  /** Silence of so many beats ends the lease. */
  leaseBeats: number;
}

/** One beat and the jitter of a busy network: silence beyond it is told as SUSPECT. */
const SUSPECT_BEATS = 1.35;
/** A pause of our own that is longer than this is not counted as agents' silence, milliseconds. */
const OWN_PAUSE_MS = 1_000;
/** So many leases at once do not end by chance: the silence is rather ours (a router that restarts). */
const CROWD = 5;
/** How long a silence of all is taken for ours, milliseconds. */
const CROWD_GRACE_MS = 10_000;

export const leaseMs = (terms: LeaseTerms): number => terms.beatEveryMs * terms.leaseBeats;

/** When a lease ends that was renewed at this time, epoch milliseconds. */
export const leaseEndMs = (terms: LeaseTerms, heardMs: number): number => heardMs + leaseMs(terms);

/** What a lease says: by the time it was renewed last, epoch milliseconds. */
export function presenceAt(terms: LeaseTerms, heardMs: number, nowMs: number): AgentPresence {
  const silentMs = nowMs - heardMs;
  if (silentMs >= leaseMs(terms)) return AgentPresence.OFFLINE;
  return silentMs >= terms.beatEveryMs * SUSPECT_BEATS ? AgentPresence.SUSPECT : AgentPresence.ONLINE;
}

/**
 * Whose silence it is. We could not hear while we were not there: the time of our own start, and of a pause of our own
 * (a stopped process, a clock that jumped), moves the leases; while nobody at all is heard, no lease ends for a while.
 */
export class Listening {
  #lastLookMs: number;
  #lastHeardMs: number;

  constructor(
    private readonly terms: LeaseTerms,
    nowMs: number,
  ) {
    this.#lastLookMs = nowMs;
    this.#lastHeardMs = nowMs;
  }

  /** Notes that some agent was heard. */
  heard(nowMs: number): void {
    this.#lastHeardMs = nowMs;
  }

  /**
   * Called at each look at the leases.
   * @param lookEveryMs how far two looks should be apart, milliseconds
   * @returns by how much every lease is to be moved, milliseconds; negative when the clock went back
   */
  look(nowMs: number, lookEveryMs: number): number {
    const lateMs = nowMs - this.#lastLookMs - lookEveryMs;
    this.#lastLookMs = nowMs;
    if (Math.abs(lateMs) <= OWN_PAUSE_MS) return 0;
    this.#lastHeardMs += lateMs;
    return lateMs;
  }

  /** Whether leases may end now; `held` is how many agents have one. */
  trusts(held: number, nowMs: number): boolean {
    const silentMs = nowMs - this.#lastHeardMs;
    return held < CROWD || silentMs < this.terms.beatEveryMs || silentMs >= leaseMs(this.terms) + CROWD_GRACE_MS;
  }
}
