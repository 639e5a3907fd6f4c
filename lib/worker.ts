/** Work that runs when woken and now and then, never twice at once; a wake during a run means one more run. */
export class Worker {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  /**
   * @param work one step; true when there is more to do at once
   * @param pollMs how often it runs unasked, milliseconds
   * @param onError told of a failed run; the next wake or poll tries again
   */
  constructor(
    private readonly work: () => Promise<boolean>,
    private readonly pollMs: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    this.#timer = setInterval(() => this.wake(), this.pollMs);
    this.wake();
  }

  /** Ends it and waits for the run under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped && (await this.work()));
    } catch (error) {
      this.onError(error);
    }
  }
}
