import type { Surroundings } from '../sdk/index.ts';
import { AgentLost } from './bus.ts';
import type { Chance } from './chance.ts';

export type Ailment = 'errors' | 'slow';

/** How much longer a slow agent takes. */
const DRAG = 12;

/** How an agent of the demo is: well, ill, or gone. All that takes time asks it. */
export class Condition {
  ailment: Ailment | undefined;
  #lost = new AbortController();

  constructor(
    private readonly name: string,
    private readonly dice: Chance,
    private readonly surroundings: Surroundings,
  ) {}

  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  /** Well again, as after a start. */
  recover(): void {
    this.ailment = undefined;
    this.#lost = new AbortController();
  }

  /** Gives up what is in hand at once. */
  abandon(): void {
    this.#lost.abort();
  }

  chance(): number {
    return this.dice.next();
  }

  /** Whether the model provider refuses this call. */
  isRefused(): boolean {
    return this.ailment === 'errors' && this.dice.happens(0.9);
  }

  /** @throws AgentLost when it crashed */
  assertThere(): void {
    if (this.isLost) throw new AgentLost(`${this.name} is gone`);
  }

  /** Passes about so many milliseconds, many more when slow. @throws AgentLost when it crashes meanwhile */
  async take(aboutMs: number): Promise<void> {
    const drag = this.ailment === 'slow' ? DRAG : 1;
    await this.surroundings.sleep(aboutMs * drag * (0.6 + this.chance() * 0.8), this.#lost.signal);
    this.assertThere();
  }
}
