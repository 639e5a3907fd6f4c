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
    const nowMs = this.clock.nowMs();
    if (nowMs < this.#untilMs) return this.local.draw(meter, costs, isForced);
    // One call finds out whether it is back; the others need not wait for its time limit.
    if (this.#isAway) this.#untilMs = nowMs + REST_MS;
    return this.#shared(meter, costs, isForced);
  }

  close(): void {
    this.shared.close();
    this.local.close();
  }

  async #shared(meter: Meter, costs: readonly number[], isForced: boolean): Promise<Drawn> {
    try {
      const drawn = await this.shared.draw(meter, costs, isForced);
      if (this.#isAway) this.log.info('limits.store.back', {});
      this.#isAway = false;
      this.#untilMs = 0;
      return drawn;
    } catch (error) {
      if (!this.#isAway) this.log.warn('limits.store.away', { error: messageOf(error) });
      this.#isAway = true;
      this.#untilMs = this.clock.nowMs() + REST_MS;
      return this.local.draw(meter, costs, isForced);
    }
  }
}
