import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Drawn, Meter } from './bucket.ts';
import type { LimitStore } from './store.ts';

/** How long a store that failed is left alone, milliseconds. */
const REST_MS = 1_000;

/** A shared store with a local one behind it: while the shared one is away each router counts alone, and nobody goes uncounted. */
export class InsuredStore implements LimitStore {
  #untilMs = 0;
  #isAway = false;
  #isAsking = false;

  constructor(
    private readonly shared: LimitStore,
    private readonly local: LimitStore,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Whether the shared store was away when it was last asked. */
  get isAway(): boolean {
    return this.#isAway;
  }

  draw(meter: Meter, costs: readonly number[], isForced: boolean): Drawn | Promise<Drawn> {
    if (!this.#isAway) return this.#shared(meter, costs, isForced);
    const nowMs = this.clock.nowMs();
    if (nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + REST_MS;
      void this.#askAgain(meter);
    }
    return this.local.draw(meter, costs, isForced);
  }

  close(): void {
    this.shared.close();
    this.local.close();
  }

  async #shared(meter: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    try {
      return await this.shared.draw(meter, costs, isForced);
    } catch (error) {
      if (!this.#isAway) this.log.warn('limits.store.away', { error: messageOf(error) });
      this.#isAway = true;
      this.#untilMs = this.clock.nowMs() + REST_MS;
      return this.local.draw(meter, costs, isForced);
    }
  }

  /** Draws nothing, to see whether it is back: a store that hangs makes nobody wait but once. */
  async #askAgain(meter: Meter): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const nothing = meter.buckets.map(() => 0);
    try {
      await this.shared.draw(meter, nothing, true);
      this.#isAway = false;
      this.log.info('limits.store.back', {});
    } catch {
      // It is still away.
    } finally {
      this.#isAsking = false;
    }
  }
}
