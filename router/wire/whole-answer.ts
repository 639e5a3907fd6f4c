import { Exchange, TooLarge } from './exchange.ts';
import type { RequestText } from './request-text.ts';
import type { ResponseHead } from './response-parser.ts';
import type { WireRequest } from './wire.ts';

/** A whole answer. */
export interface WireAnswer {
  status: number;
  contentType: string | undefined;
  /** The header `Retry-After`. */
  retryAfter?: string | undefined;
  body: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** Collects an answer whole. */
export class WholeAnswer extends Exchange {
  #head: ResponseHead | undefined;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #sizeBytes = 0;
  readonly #maxBytes: number;

  constructor(
    request: WireRequest,
    sent: RequestText,
    private readonly resolve: (answer: WireAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, sent, reject);
    this.#maxBytes = request.maxBytes;
  }

  onHead(head: ResponseHead): void {
    this.#head = head;
  }

  onBody(bytes: Buffer): void {
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#maxBytes) this.cut(new TooLarge(this.#maxBytes));
    else if (!this.#first) this.#first = bytes;
    else if (this.#rest) this.#rest.push(bytes);
    else this.#rest = [this.#first, bytes];
  }

  onEnd(): void {
    this.settled();
    const { status, contentType, retryAfter } = this.#head as ResponseHead;
    const body = this.#rest ? Buffer.concat(this.#rest, this.#sizeBytes) : (this.#first ?? NOTHING);
    this.resolve({ status, contentType, retryAfter, body });
  }
}
