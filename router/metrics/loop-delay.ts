import type { HistogramCell } from './cells.ts';

const EVERY_MS = 20;

/** How the event loop did since the last look. */
export interface LoopSample {
  /** How late it came to a timer, milliseconds. */
  readonly lateMs: number;
  /** Of the time since, how long it worked at most: what the process had of a processor, milliseconds. */
  readonly workMs: number;
}

/** How late the event loop comes to what is due, seconds, looked at fifty times a second. */
export class LoopDelay {
  #timer: NodeJS.Timeout | undefined;

  /** @param tell told of each look */
  constructor(
    private readonly delays: HistogramCell,
    private readonly tell: (sample: LoopSample) => void,
  ) {}

  start(): void {
    let lastMs = performance.now();
    let lastCpu = process.cpuUsage();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const cpu = process.cpuUsage();
      const passedMs = nowMs - lastMs;
      const lateMs = Math.max(0, passedMs - EVERY_MS);
      this.delays.observe(lateMs / 1_000);
      const usedMs = (cpu.user + cpu.system - lastCpu.user - lastCpu.system) / 1_000;
      // Threads of the process may have worked beside it.
      this.tell({ lateMs, workMs: Math.min(passedMs, usedMs) });
      lastMs = nowMs;
      lastCpu = cpu;
    }, EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
