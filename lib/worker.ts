import { setTimeout as sleep } from 'node:timers/promises';

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
   * @param restMs how long it lets more come together behind a run before the next, milliseconds; the first after a quiet time
   *   does not wait
   */
  constructor(
    private readonly work: () => Promise<boolean>,
    private readonly pollMs: number,
    private readonly onError: (error: unknown) => void,
    private readonly restMs = 0,
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
    if (this.restMs && !this.#stopped) await sleep(this.restMs);
  }
}
