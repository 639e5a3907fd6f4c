import { Backoff } from '../wire/backoff.ts';
import type { FleetFailure } from '../wire/failure.ts';
import type { Surroundings } from '../wire/surroundings.ts';

const FIRST_BEAT_MS = 1_000;

/** Beats as often as the platform asks, at once when something changed, and no more rarely while the platform is away. */
export class Heart {
  #rest = new AbortController();
  #changed = true;
  #stopped = false;

  /** @param beat sends one beat; gives the time to the next, milliseconds */
  constructor(
    private readonly surroundings: Surroundings,
    private readonly beat: () => Promise<number>,
  ) {
    void this.#run();
  }

  /** Beats now; several calls before it happens make one beat. */
  soon(): void {
    this.#changed = true;
    this.#rest.abort();
  }

  stop(): void {
    this.#stopped = true;
    this.#rest.abort();
  }

  async #run(): Promise<void> {
    const { surroundings } = this;
    const backoff = new Backoff(surroundings.random);
    let everyMs = FIRST_BEAT_MS;
    while (!this.#stopped) {
      this.#rest = new AbortController();
      this.#changed = false;
      let restMs: number;
      try {
        restMs = everyMs = await this.beat();
        backoff.reset();
      } catch (error) {
        // Not later than a beat is due: the lease runs on while the platform is away or comes back.
        restMs = Math.min(backoff.next((error as FleetFailure).retryAfterMs), Math.max(everyMs, FIRST_BEAT_MS));
        this.#changed = false;
        this.#rest = new AbortController();
      }
      if (!this.#changed) await surroundings.sleep(restMs, this.#rest.signal);
    }
  }
}
