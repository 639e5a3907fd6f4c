import type { Clock } from '../../../lib/clock.ts';
import type { RecoveryStore } from '../store/recoveries.ts';
import type { LiveAgent } from './live.ts';

/** So many beats in a row that were well prove a configuration. */
const PROVING_BEATS = 10;

/** Notes under which configurations agents did well: what a recovery may go back to. */
export class Proofs {
  /** Those that proved something since it was last written. */
  #due = new Set<LiveAgent>();

  constructor(
    private readonly recoveries: RecoveryStore,
    private readonly clock: Clock,
  ) {}

  /** Takes note of an agent that was just heard. */
  heard(live: LiveAgent): void {
    if (isProven(live)) this.#due.add(live);
  }

  /** Writes down what was proven since the last time. */
  async write(): Promise<void> {
    const due = this.#due;
    if (!due.size) return;
    this.#due = new Set();
    // A beat after it may have said otherwise.
    const proven = [...due].filter(isProven).map((live) => {
      const { uuid, observedConfigVersion: version } = live;
      return { live, uuid, version: version as number };
    });
    await this.recoveries
      .prove(
        proven.map(({ uuid, version }) => ({ uuid, version })),
        new Date(this.clock.nowMs()),
      )
      .catch((error: unknown) => {
        for (const live of due) this.#due.add(live);
        throw error;
      });
    for (const { live, version } of proven) live.provenVersion = version;
  }
}

function isProven({ observedConfigVersion: version, provingBeats, provenVersion }: LiveAgent): boolean {
  return version !== null && version !== provenVersion && provingBeats >= PROVING_BEATS;
}
