import { Exchange, TooLarge } from './exchange.ts';
import type { RequestText } from './request-text.ts';
import type { ResponseHead } from './response-parser.ts';
import type { WireRequest } from './wire.ts';

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
export class StreamedAnswer extends Exchange {
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #end: { error: Error | undefined } | undefined;
  #wake: (() => void) | undefined;
  #isPaused = false;

  constructor(
    request: WireRequest,
    sent: RequestText,
    private readonly resolve: (stream: WireStream) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, sent, reject);
  }

  onHead({ status, contentType }: ResponseHead): void {
    this.inTime();
    this.resolve({ status, contentType, chunks: this.#chunks(), destroy: (error) => this.cut(error) });
  }

  onBody(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > HIGH_WATER_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.pause();
    }
    this.#news();
  }

  onEnd(): void {
    this.settled();
    this.#finish(undefined);
  }

  override cut(error: Error): void {
    this.#finish(error);
    super.cut(error);
  }

  override onFail(error: Error): void {
    this.#finish(error);
    super.onFail(error);
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
    if (!this.#isPaused || this.#waitingBytes > HIGH_WATER_BYTES / 2) return;
    this.#isPaused = false;
    this.resume();
  }
}
