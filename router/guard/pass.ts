import type { Replica } from './replica.ts';

/** How a call ended, as the breaker sees it. */
export type Outcome = { failed: false } | { failed: true; reason: string };

/** What a circuit counts of a finished call. */
export interface PassBook {
  ended(tookMs: number, failed: boolean, nowMs: number): void;
  left(): void;
}

/** Permission for one call to one replica. Exactly one of its methods is to be called, once. */
export class Pass {
  readonly #epoch: number;

  constructor(
    readonly replica: Replica,
    private readonly book: PassBook,
    private readonly probe: boolean,
    private readonly startedMs: number,
  ) {
    replica.began();
    this.#epoch = replica.epoch;
  }

  /** @param callers how many waited for it */
  settle(outcome: Outcome, nowMs: number, callers = 1): void {
    const { replica, startedMs } = this;
    const probe = this.#isProbe();
    replica.ended(startedMs, nowMs, outcome.failed);
    this.book.ended(nowMs - startedMs, outcome.failed, nowMs);
    if (outcome.failed) replica.step({ kind: 'failed', probe, reason: outcome.reason, callers }, nowMs);
    else if (callers === 1) replica.step(probe ? PROBE_SUCCEEDED : SUCCEEDED, nowMs);
    else replica.step({ kind: 'succeeded', probe, callers }, nowMs);
  }

  /** The caller left: no outcome. */
  abandon(nowMs: number): void {
    this.replica.ended(this.startedMs, nowMs, undefined);
    this.book.left();
    this.replica.step({ kind: 'abandoned', probe: this.#isProbe() }, nowMs);
  }

  #isProbe(): boolean {
    return this.probe && this.replica.epoch === this.#epoch;
  }
}

const SUCCEEDED = { kind: 'succeeded', probe: false } as const;
const PROBE_SUCCEEDED = { kind: 'succeeded', probe: true } as const;
