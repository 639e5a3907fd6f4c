import type { Clock } from '../../../lib/clock.ts';
import type { PeerStore } from '../store/peers.ts';

/** How often a process says that it is there, milliseconds. */
const SAY_MS = 2_000;
/** Silence after which it is not. */
const GONE_MS = 10_000;

/** Whether other processes of this house serve beside this one: then each must write down what it hears, for the others to read. */
export class Peers {
  readonly #id: string;
  #saidMs = Number.NEGATIVE_INFINITY;
  #others = 0;

  constructor(
    private readonly store: PeerStore,
    private readonly clock: Clock,
  ) {
    this.#id = clock.uuid();
  }

  get any(): boolean {
    return this.#others > 0;
  }

  async look(): Promise<void> {
    const nowMs = this.clock.nowMs();
    if (Math.abs(nowMs - this.#saidMs) < SAY_MS) return;
    this.#saidMs = nowMs;
    this.#others = await this.store.say(this.#id, GONE_MS);
  }

  async leave(): Promise<void> {
    await this.store.leave(this.#id);
  }
}
