import type { Clock } from '../../../lib/clock.ts';
import type { HealthStore } from '../store/health.ts';
import { type LiveAgent, type LiveFleet, NO_WORK } from './live.ts';
import { factsOf } from './live-health.ts';

/** So many agents are followed at most: always the same ones, whoever else comes. */
const MAX_AGENTS = 1_000;
/** How long minutes are kept, milliseconds. */
export const KEPT_MS = 24 * 60 * 60_000;
const MINUTE_MS = 60_000;

/** Keeps a day of minutes of agents that beat, in little, so that other weights can be tried on what was. */
export class HealthHistory {
  #writtenMinute: number;

  constructor(
    private readonly store: HealthStore,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {
    this.#writtenMinute = minuteOf(clock.nowMs());
  }

  /** Writes the minute that ended, once, and forgets what is older than a day. */
  async write(): Promise<void> {
    const nowMs = this.clock.nowMs();
    const minute = minuteOf(nowMs);
    if (minute === this.#writtenMinute) return;
    this.#writtenMinute = minute;
    const atMs = (minute - 1) * MINUTE_MS;
    const beaten = [...this.fleet.all()].filter(({ beatMs }) => beatMs >= atMs);
    const minutes = followed(beaten).map((live) => ({
      agent: live.uuid,
      atMs,
      facts: { ...factsOf(live, live, nowMs), window: [workOf(live)] },
      score: live.health.score,
      grade: live.health.grade,
    }));
    for (const live of beaten) Object.assign(live.minute, NO_WORK);
    if (minutes.length) await this.store.addMinutes(minutes);
    await this.store.forgetMinutes(new Date(nowMs - KEPT_MS));
  }
}

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);

/** The minute's work as one sample. */
function workOf({ minute: { requests, errors, timed, tookMs } }: LiveAgent) {
  return { requests, errors, latencyMs: timed ? tookMs / timed : null };
}

function followed(beaten: readonly LiveAgent[]): readonly LiveAgent[] {
  if (beaten.length <= MAX_AGENTS) return beaten;
  // Numbers, and in an array of numbers: of 100,000 agents this holds the loop for ten milliseconds, hashes for half a second.
  const most = Uint32Array.from(beaten, lotOf).sort()[MAX_AGENTS - 1] as number;
  return beaten.filter((live) => lotOf(live) <= most).slice(0, MAX_AGENTS);
}

/** An agent's lot: uuids are random, their last digits too. */
const lotOf = ({ uuid }: LiveAgent): number => Number.parseInt(uuid.slice(-8), 16);
