import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { SpanDestination } from './span-queue.ts';

/** Takes one OTLP/protobuf body of spans. Rejects when it should be sent again. */
export type SendSpans = (body: Uint8Array) => Promise<void>;

type Done = Parameters<SpanExporter['export']>[1];

const SUCCESS = 0;
const FAILED = 1;
const PAUSES_MS = [500, 2_000, 5_000];
/** Batches under way at once: while nobody takes them, memory stays as it is. */
const MAX_UNDER_WAY = 16;

/** Gives spans to a function as OTLP/protobuf; a batch that it rejects is offered three times more, then dropped and counted. */
export class SendingExporter implements SpanExporter, SpanDestination {
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  /** Batches that were given up. */
  dropped = 0;

  constructor(
    private readonly send: SendSpans,
    private readonly pausesMs: readonly number[] = PAUSES_MS,
  ) {}

  export(spans: ReadableSpan[], done: Done): void {
    this.#begin(ProtobufTraceSerializer.serializeRequest(spans), done);
  }

  offer(body: Uint8Array): void {
    if (this.#underWay.size < MAX_UNDER_WAY) this.#begin(body, () => undefined);
    else this.dropped += 1;
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** What fails from now on is not offered again: a process that ends does not wait for who is away. */
  lastCall(): void {
    this.#stopping.abort();
  }

  async shutdown(): Promise<void> {
    this.lastCall();
    await this.forceFlush();
  }

  #begin(body: Uint8Array | undefined, done: Done): void {
    const running = this.#offer(body, done).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  async #offer(body: Uint8Array | undefined, done: Done): Promise<void> {
    for (let attempt = 0; body; attempt += 1) {
      try {
        await this.send(body);
        return done({ code: SUCCESS });
      } catch (error) {
        const pauseMs = this.pausesMs[attempt];
        if (pauseMs === undefined || this.#stopping.signal.aborted) {
          this.dropped += 1;
          return done({ code: FAILED, error: error as Error });
        }
        await this.#pause(pauseMs);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#stopping.signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  }
}
