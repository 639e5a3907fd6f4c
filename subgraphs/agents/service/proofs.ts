import type { Clock } from '../../../lib/clock.ts';
import type { RecoveryStore } from '../store/recoveries.ts';
import type { LiveAgent, LiveFleet } from './live.ts';

/** So many beats in a row that were well prove a configuration. */
const PROVING_BEATS = 10;

/** Notes under which configurations agents did well: what a recovery may go back to. */
export class Proofs {
  constructor(
    private readonly recoveries: RecoveryStore,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {}

  /** Writes down what was proven since the last time. */
  async write(): Promise<void> {
    const proven: { live: LiveAgent; uuid: string; version: number }[] = [];
    for (const live of this.fleet.all()) {
      const { uuid, observedConfigVersion: version, provingBeats, provenVersion } = live;
      if (version !== null && version !== provenVersion && provingBeats >= PROVING_BEATS)
        proven.push({ live, uuid, version });
    }
    if (!proven.length) return;
    await this.recoveries.prove(
      proven.map(({ uuid, version }) => ({ uuid, version })),
      new Date(this.clock.nowMs()),
    );
    for (const { live, version } of proven) live.provenVersion = version;
  }
}
