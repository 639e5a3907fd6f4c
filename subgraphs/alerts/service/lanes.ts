/** Runs tasks side by side, at most so many, so that a slow one holds up no other. */
export class Lanes {
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly count: number) {}

  /** How many more may start now. */
  get free(): number {
    return this.count - this.#running.size;
  }

  /** Starts a task, which must not reject; `ended` is told when it has ended. */
  run(task: () => Promise<void>, ended: () => void): void {
    const running = task().finally(() => {
      this.#running.delete(running);
      ended();
    });
    this.#running.add(running);
  }

  /** Waits for what runs now. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }
}
