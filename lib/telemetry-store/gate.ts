import { FleetError } from '../errors.ts';

/** Lets so many through at once; the rest wait in a bounded line. */
export class Gate {
  #inside = 0;
  #closed = false;
  readonly #line: (() => void)[] = [];
  #emptied: (() => void) | undefined;

  constructor(
    private readonly width: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws OVERLOADED when the line is full, SUBGRAPH_UNAVAILABLE once closed */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new FleetError('SUBGRAPH_UNAVAILABLE', 'the telemetry store is closing');
    if (this.#inside < this.width) this.#inside += 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Refuses newcomers and waits until all are out. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#inside > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
  }

  #wait(): Promise<void> {
    if (this.#line.length >= this.maxWaiting) {
      throw new FleetError('OVERLOADED', 'too many queries wait for the telemetry store', { retryAfterMs: 1_000 });
    }
    return new Promise((resolve) => this.#line.push(resolve));
  }

  #leave(): void {
    // The place goes to the next in line without being given up between.
    const next = this.#line.shift();
    if (next) {
      next();
      return;
    }
    this.#inside -= 1;
    if (this.#inside === 0) this.#emptied?.();
  }
}
