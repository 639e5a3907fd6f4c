/** Something that is looked after, and where it stands in the table; -1 while it does not. */
export interface Kept {
  slot: number;
}

const FIRST_ROOM = 1_024;

/**
 * Until when there is nothing to look at, for each that is kept. One number each, side by side: going over 100,000 agents
 * themselves is 20 ms of waiting for memory, over their numbers 0.1 ms. Whoever notes calm must be sure of it until then; a
 * word of something new ends it.
 */
export class CalmTable<One extends Kept> {
  #until = new Float64Array(FIRST_ROOM);
  readonly #kept: One[] = [];

  add(one: One): void {
    one.slot = this.#kept.length;
    this.#kept.push(one);
    if (this.#kept.length > this.#until.length) {
      const larger = new Float64Array(this.#until.length * 2);
      larger.set(this.#until);
      this.#until = larger;
    }
    this.#until[one.slot] = 0;
  }

  remove(one: One): void {
    const last = this.#kept.pop();
    if (last !== undefined && last !== one) {
      this.#kept[one.slot] = last;
      this.#until[one.slot] = this.#until[last.slot] as number;
      last.slot = one.slot;
    }
    one.slot = -1;
  }

  /** @param untilMs epoch milliseconds; 0: it is to be looked at */
  note({ slot }: One, untilMs: number): void {
    if (slot >= 0) this.#until[slot] = untilMs;
  }

  /** Ends the calm of all. */
  wake(): void {
    this.#until.fill(0);
  }

  /** Those that are to be looked at now. */
  due(nowMs: number): One[] {
    const due: One[] = [];
    for (let slot = 0; slot < this.#kept.length; slot += 1) {
      if (!((this.#until[slot] as number) > nowMs)) due.push(this.#kept[slot] as One);
    }
    return due;
  }
}
