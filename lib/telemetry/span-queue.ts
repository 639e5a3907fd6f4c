/** Where batches of spans go, each on its own: what one does not take, another may. */
export interface SpanDestination {
  /** Takes a batch, or drops it when too many are under way. @param body an OTLP/JSON `ExportTraceServiceRequest` */
  offer(body: Uint8Array): void;
  /** Resolves once nothing is under way. */
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export interface SpanQueueOptions {
  destinations: readonly SpanDestination[];
  /** Text before and after the spans of a batch. */
  around: readonly [before: string, after: string];
  maxBatch: number;
  /** How long a span waits for company, milliseconds. */
  lingerMs: number;
}

/** Texts of ended spans on their way out: sent by the batch, or when the first of them has waited long enough. */
export class SpanQueue {
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SpanQueueOptions) {}

  push(text: string): void {
    const { maxBatch, lingerMs } = this.options;
    const count = this.#waiting.push(text);
    // A whole batch goes on the next turn of the loop: who ended the span does not wait until it is written.
    if (count === maxBatch) this.#sendIn(0);
    else if (count === 1) this.#sendIn(lingerMs);
  }

  /** Sends what waits and resolves when it arrived or was given up. */
  async forceFlush(): Promise<void> {
    this.#send();
    await Promise.all(this.options.destinations.map((destination) => destination.forceFlush()));
  }

  async shutdown(): Promise<void> {
    this.#send();
    await Promise.all(this.options.destinations.map((destination) => destination.shutdown()));
  }

  #sendIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), ms);
    this.#timer.unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    const { around, destinations, maxBatch } = this.options;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; at += maxBatch) {
      const body = Buffer.from(around[0] + waiting.slice(at, at + maxBatch).join(',') + around[1]);
      for (const destination of destinations) destination.offer(body);
    }
  }
}
