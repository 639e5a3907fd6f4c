/** Does things a few at a time, so that a herd of them leaves turns of the loop to others. */
export class Turns {
  #jobs: (() => void)[] = [];
  #isDue = false;

  /** @param atOnce how many are done between two turns of the loop */
  constructor(private readonly atOnce: number) {}

  add(job: () => void): void {
    this.#jobs.push(job);
    this.#plan();
  }

  #plan(): void {
    if (this.#isDue || this.#jobs.length === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      const some = this.#jobs.splice(0, this.atOnce);
      this.#plan();
      for (const job of some) job();
    });
  }
}
