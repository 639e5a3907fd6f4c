/** One call that waits for its turn. */
export interface Waiting {
  /** Undefined once it no longer waits. */
  go: (() => void) | undefined;
  refuse(error: Error): void;
}

const KEPT = 1_000;

/** Those who wait, in the order in which they came. Who no longer waits is let go of now and then, not one by one. */
export class WaitingLine {
  #all: Waiting[] = [];
  #first = 0;

  push(waiting: Waiting): void {
    if (this.#all.length - this.#first > 2 * KEPT) this.#letGo();
    this.#all.push(waiting);
  }

  /** Takes out whoever came first. */
  next(): Waiting | undefined {
    while (this.#first < this.#all.length) {
      const next = this.#all[this.#first++];
      if (this.#first > KEPT) this.#letGo();
      if (next?.go) return next;
    }
    this.#letGo();
    return undefined;
  }

  /** Takes out whoever came last. */
  last(): Waiting | undefined {
    while (this.#all.length > this.#first) {
      const last = this.#all.pop();
      if (last?.go) return last;
    }
    return undefined;
  }

  #letGo(): void {
    this.#all = this.#all.slice(this.#first).filter(({ go }) => go);
    this.#first = 0;
  }
}
