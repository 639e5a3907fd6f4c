import type { Clock } from '../../../lib/clock.ts';
import type { StoryStore } from '../store/story.ts';

const DAY_MS = 86_400_000;
/** Lines that one statement forgets. */
const BATCH = 5_000;
/** Statements of a round: what is left waits for the next one. */
const MOST_BATCHES = 10;
/** Agents whose lines are counted in a round. */
const COUNTED = 500;

/** How long stories are: what is kept of them. */
export interface StoryLimits {
  keptDays: number;
  /** Lines of one agent. */
  keptLines: number;
}

/** Forgets old lines of agents' stories, and of an agent that tells very much the oldest. */
export class Stories {
  /** The agent whose lines were counted last; undefined at the beginning of a tour of all. */
  #last: string | undefined;

  constructor(
    private readonly story: StoryStore,
    private readonly clock: Clock,
    private readonly limits: StoryLimits,
  ) {}

  /** One round: a bounded number of bounded statements, each its own transaction. */
  async forget(): Promise<void> {
    const before = new Date(this.clock.nowMs() - this.limits.keptDays * DAY_MS);
    for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
      if ((await this.story.forgetOlder(before, BATCH)) < BATCH) break;
    }
    await this.#count();
  }

  /** The next agents of the tour; it goes on behind them once they keep no more than they may. */
  async #count(): Promise<void> {
    const agents = await this.story.agentsAfter(this.#last, COUNTED);
    for (let batch = 0; agents.length && batch < MOST_BATCHES; batch += 1) {
      const count = await this.story.forgetBeyond(agents, this.limits.keptLines, BATCH);
      if (count === BATCH) continue;
      this.#last = agents.length < COUNTED ? undefined : agents.at(-1);
      return;
    }
    if (!agents.length) this.#last = undefined;
  }
}
