import type { HistogramCell } from './cells.ts';

const EVERY_MS = 20;

/** How late the event loop comes to what is due, seconds, looked at fifty times a second. */
export class LoopDelay {
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly delays: HistogramCell) {}

  start(): void {
    let dueMs = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.delays.observe(Math.max(0, nowMs - dueMs) / 1_000);
      dueMs = nowMs + EVERY_MS;
    }, EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
