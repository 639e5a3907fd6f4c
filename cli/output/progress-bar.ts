import type { Sink } from './printer.ts';

const WIDTH = 24;
/** As often as a person can see. */
const EVERY_MS = 100;

/** How far something long is, on one line of a terminal that is written over; where there is none, nothing is written. */
export class ProgressBar {
  #shownMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  /** @param total 0: nobody knows */
  constructor(
    private readonly sink: Sink,
    private readonly what: string,
    private readonly total: number,
    private readonly nowMs: () => number,
  ) {}

  /** Tells how many are done. */
  at(done: number): void {
    if (!this.sink.isTTY) return;
    const nowMs = this.nowMs();
    if (nowMs - this.#shownMs < EVERY_MS && done < this.total) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    this.sink.write(`\r${this.#line(done)}\u001b[K`);
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isShown) this.sink.write('\r\u001b[K');
    this.#isShown = false;
  }

  #line(done: number): string {
    if (this.total <= 0) return `${done} ${this.what}`;
    const share = Math.min(1, done / this.total);
    const full = Math.round(share * WIDTH);
    return `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${Math.floor(share * 100)}% of ${this.total} ${this.what}`;
  }
}
