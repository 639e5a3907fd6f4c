import type { Clock } from '../../lib/clock.ts';
import { BoundedMap } from '../callers/bounded-map.ts';
import { type Drawn, draw, type Level, type Meter } from './bucket.ts';
import type { LimitStore } from './store.ts';

/** Meters remembered; one that was used longer ago than so many others starts full again. */
const METERS = 100_000;

/** Buckets of this process alone: answers at once. */
export class MemoryStore implements LimitStore {
  readonly #levels = new BoundedMap<string, Level>(METERS);

  constructor(private readonly clock: Clock) {}

  draw(meter: Meter, costs: readonly number[], isForced: boolean): Drawn {
    const [level, drawn] = draw(meter, this.#levels.get(meter.key), costs, isForced, this.clock.nowMs());
    this.#levels.set(meter.key, level);
    return drawn;
  }

  close(): void {}
}
