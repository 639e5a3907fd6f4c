import type { Measured, Period, ReadingRow, ReadingStore } from '../../store/readings.ts';
import { addBeat, emptyReading, type Reading, type Told } from './evidence.ts';

interface Open extends Measured {
  reading: Reading;
}

/** Hears the beats of agents whose work is evidence in a rollout; what it heard is added to the sums that all processes share. */
export class Measuring {
  #measured = new Map<string, Measured>();
  #heard = new Map<string, Open>();

  constructor(private readonly store: ReadingStore) {}

  /** Takes a beat, if somebody measures its agent. */
  hear(agent: string, told: Told, nowMs: number): void {
    const measured = this.#measured.get(agent);
    if (!measured) return;
    const key = `${measured.rollout} ${agent} ${measured.period}`;
    const open = this.#heard.get(key) ?? { ...measured, reading: emptyReading() };
    this.#heard.set(key, open);
    const warmUpMs = measured.period === 'before' ? 0 : measured.warmUpMs;
    addBeat(open.reading, told, Math.max(0, nowMs - measured.sinceMs), warmUpMs);
  }

  /** Lets go what ended rollouts were decided by. */
  sweep(): Promise<void> {
    return this.store.sweep();
  }

  /** Writes what was heard since the last time, and asks who is measured now. */
  async flush(): Promise<void> {
    const heard = this.#heard;
    this.#heard = new Map();
    if (heard.size) {
      const rows = [...heard.values()].map(
        ({ rollout, agent, period, reading }): ReadingRow => ({ rollout, agent, period: period as Period, ...reading }),
      );
      // Evidence that could not be written is left out: nobody waits for it, and more comes with the next beats.
      await this.store.add(rows);
    }
    this.#measured = new Map((await this.store.measured()).map((each) => [each.agent, each]));
  }
}
