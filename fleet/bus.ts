import type { Chance } from './chance.ts';
import type { KindName } from './roster.ts';
import type { Task } from './task.ts';

/** An agent as the bus sees it. */
export interface Seat {
  readonly name: string;
  readonly kind: KindName;
  readonly isOpen: boolean;
  /** Tasks that wait or are being done. */
  readonly load: number;
  do(task: Task): Promise<string>;
}

/** The agent that had a task is gone; another may do it. */
export class AgentLost extends Error {}

/** Carries tasks between agents of this process, each with the trace it belongs to. */
export class Bus {
  readonly #seats = new Map<KindName, Seat[]>();

  constructor(private readonly chance: Chance) {}

  join(seat: Seat): void {
    this.#seats.set(seat.kind, [...(this.#seats.get(seat.kind) ?? []), seat]);
  }

  /** Gives a task to the less loaded of two agents of that kind; once more to another when the first was lost. */
  async send(kind: KindName, task: Task): Promise<string> {
    const first = this.#choose(kind);
    try {
      return await first.do(task);
    } catch (error) {
      if (!(error instanceof AgentLost)) throw error;
      return this.#choose(kind, first).do(task);
    }
  }

  #choose(kind: KindName, except?: Seat): Seat {
    const open = (this.#seats.get(kind) ?? []).filter((seat) => seat.isOpen && seat !== except);
    const [one, other] = [this.chance.pick(open), this.chance.pick(open)];
    if (!one || !other) throw new AgentLost(`no ${kind} is there to take the task`);
    return other.load < one.load ? other : one;
  }
}
