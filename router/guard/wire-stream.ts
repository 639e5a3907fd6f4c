import type { Dispatcher } from 'undici';
import type { WireRequest } from './wire.ts';
import { TooLarge, WireExchange } from './wire-answer.ts';

/** An answer whose body is still coming. */
export interface WireStream {
  status: number;
  contentType: string | undefined;
  /** The body; throws when the connection is lost. Leaving the loop ends the connection. */
  chunks: AsyncIterable<Buffer>;
  /** Ends it: whoever reads is thrown the error. */
  destroy(error: Error): void;
}

/** Reads what comes to its end. @throws TooLarge */
export async function wholeOf(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const all: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw new TooLarge(maxBytes);
    all.push(chunk);
  }
  return Buffer.concat(all, sizeBytes);
}

/** A reader that is this far behind holds the connection up, bytes. */
const HIGH_WATER_BYTES = 1_000_000;

/** Hands an answer on as it comes. */
export class StreamedAnswer extends WireExchange {
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #end: { error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;
  #paused: Dispatcher.DispatchController | undefined;

  constructor(
    request: WireRequest,
    private readonly resolve: (stream: WireStream) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, reject);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.inTime();
    const type = headers['content-type'];
    this.resolve({
      status,
      contentType: typeof type === 'string' ? type : undefined,
      chunks: this.#chunks(),
      destroy: (error) => this.#lose(error),
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > HIGH_WATER_BYTES) {
      this.#paused = controller;
      controller.pause();
    }
    this.#news();
  }

  onResponseEnd(): void {
    this.settled();
    this.#finish(undefined);
  }

  override cut(error: Error): void {
    super.cut(error);
    this.#finish(error);
  }

  override onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    super.onResponseError(controller, error);
    this.#finish(error);
  }

  #lose(error: Error): void {
    this.cut(error);
  }

  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#news();
  }

  #news(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  async *#chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#waiting.shift();
        if (chunk) {
          this.#took(chunk);
          yield chunk;
        } else if (this.#end) {
          if (this.#end.error) throw this.#end.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      if (!this.#end) this.cut(new Error('the reader left'));
    }
  }

  #took(chunk: Buffer): void {
    this.#waitingBytes -= chunk.length;
    if (!this.#paused || this.#waitingBytes > HIGH_WATER_BYTES / 2) return;
    const paused = this.#paused;
    this.#paused = undefined;
    paused.resume();
  }
}
