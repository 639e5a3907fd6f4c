import { type Attributes, type EndedSpan, exportRequest, MAX_SPAN_BYTES, SpanPage } from './span-bytes.ts';

/** Where batches of spans go, each on its own: what one does not take, another may. */
export interface SpanDestination {
  /** Takes a batch, or drops it when too many are under way. @param body a protobuf `ExportTraceServiceRequest` */
  offer(body: Uint8Array): void;
  /** Resolves once nothing is under way. */
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export interface SpanQueueOptions {
  destinations: readonly SpanDestination[];
  /** What makes the spans. */
  resource: Attributes;
  maxBatch: number;
  /** How long a span waits for company, milliseconds. */
  lingerMs: number;
}

/** A batch of ordinary spans and the longest one. */
const PAGE_BYTES = 512 * 1_024 + MAX_SPAN_BYTES;

/** Ended spans on their way out: sent by the batch, or when the first of them has waited long enough. */
export class SpanQueue {
  readonly #page = new SpanPage(PAGE_BYTES);
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SpanQueueOptions) {}

  push(span: EndedSpan): void {
    if (!this.#page.hasRoom) this.#send();
    this.#page.add(span);
    if (this.#page.count >= this.options.maxBatch) this.#send();
    else if (this.#page.count === 1) this.#linger();
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

  #linger(): void {
    this.#timer = setTimeout(() => this.#send(), this.options.lingerMs);
    this.#timer.unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    if (this.#page.count === 0) return;
    const body = exportRequest(this.options.resource, this.#page.take());
    for (const destination of this.options.destinations) destination.offer(body);
  }
}
