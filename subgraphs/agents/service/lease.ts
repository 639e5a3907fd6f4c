/** How long silence means what. */
export interface LeaseTerms {
  /** How often an agent beats, milliseconds. */
  beatEveryMs: number;
  /** Silence of so many beats ends the lease. */
  leaseBeats: number;
}

/** A pause of our own that is longer than this is not counted as agents' silence, milliseconds. */
const OWN_PAUSE_MS = 1_000;
/** So many leases at once do not end by chance: the silence is rather ours (a router that restarts). */
const CROWD = 5;
/** Such a part of a fleet is not late by chance either, but by a switch or a host that they share. Source: Eureka's self-preservation. */
const CROWD_SHARE = 0.01;
/** How long a silence of all is taken for ours, milliseconds. */
const CROWD_GRACE_MS = 10_000;

export const leaseMs = (terms: LeaseTerms): number => terms.beatEveryMs * terms.leaseBeats;

/** When a lease ends that was renewed at this time, epoch milliseconds. */
export const leaseEndMs = (terms: LeaseTerms, heardMs: number): number => heardMs + leaseMs(terms);

/** Whether so many of those who have a lease are late that it is rather the road's doing: their leases then last longer. */
export function isCrowdLate(late: number, held: number): boolean {
  return late >= Math.max(CROWD, held * CROWD_SHARE);
}

/**
 * Whose silence it is. We could not hear while we were not there: the time of our own start, and of a pause of our own
 * (a stopped process, a clock that jumped), moves the leases; so does a time in which nobody at all was heard, and while it lasts
 * no lease ends.
 */
export class Listening {
  #lastLookMs: number;
  #lastHeardMs: number;
  /** Since when nobody was heard, once that was noticed. */
  #unheardSinceMs: number | undefined;
  #owedMs = 0;

  constructor(
    private readonly termsNow: () => LeaseTerms,
    nowMs: number,
  ) {
    this.#lastLookMs = nowMs;
    this.#lastHeardMs = nowMs;
  }

  /** Notes that some agent was heard. */
  heard(nowMs: number): void {
    if (this.#unheardSinceMs !== undefined) this.#owedMs += nowMs - this.#unheardSinceMs;
    this.#unheardSinceMs = undefined;
    this.#lastHeardMs = nowMs;
  }

  /**
   * Called at each look at the leases.
   * @param lookEveryMs how far two looks should be apart, milliseconds
   * @returns by how much every lease is to be moved, but not beyond now, milliseconds; negative when the clock went back
   */
  look(nowMs: number, lookEveryMs: number): number {
    const lateMs = nowMs - this.#lastLookMs - lookEveryMs;
    this.#lastLookMs = nowMs;
    const owedMs = this.#owedMs;
    this.#owedMs = 0;
    if (Math.abs(lateMs) <= OWN_PAUSE_MS) return owedMs;
    this.#lastHeardMs += lateMs;
    if (this.#unheardSinceMs !== undefined) this.#unheardSinceMs += lateMs;
    return lateMs + owedMs;
  }

  /** Whether leases may end now; `held` is how many agents have one. */
  trusts(held: number, nowMs: number): boolean {
    const silentMs = nowMs - this.#lastHeardMs;
    const terms = this.termsNow();
    if (held < CROWD || silentMs < terms.beatEveryMs) return true;
    const isOver = silentMs >= leaseMs(terms) + CROWD_GRACE_MS;
    // Believed then: what is heard after it owes nobody anything.
    this.#unheardSinceMs = isOver ? undefined : (this.#unheardSinceMs ?? this.#lastHeardMs);
    return isOver;
  }
}
