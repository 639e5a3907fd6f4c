import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { type Agent, agentOf } from '../entity/agent.ts';
import type { PastStore } from '../store/past.ts';

const DAY_MS = 86_400_000;
const BATCH = 5_000;

/** What agents were. */
export class Past {
  constructor(
    private readonly past: PastStore,
    private readonly clock: Clock,
    private readonly keptDays: number,
  ) {}

  /**
   * An agent as it was at a time; null before it was registered.
   * @throws BAD_INPUT for a time that is too long ago to be known
   */
  async at(agent: Agent, time: Date): Promise<Agent | null> {
    if (time < agent.registeredAt) return null;
    const snapshot = time >= this.#horizon() ? await this.past.at(agent.uuid, time) : undefined;
    if (!snapshot) {
      throw new FleetError(
        'BAD_INPUT',
        `what agents were is known for ${this.keptDays} days: not as far back as this`,
        {
          field: ['time'],
        },
      );
    }
    return agentOf(snapshot);
  }

  /** Forgets one batch of what is older than is kept. */
  async forget(): Promise<void> {
    await this.past.forget(this.#horizon(), BATCH);
  }

  #horizon(): Date {
    return new Date(this.clock.nowMs() - this.keptDays * DAY_MS);
  }
}
