import type { Dispatcher } from 'undici';
import type { LeaveSignal } from '../leave-signal.ts';
import type { WireRequest } from './wire.ts';

/** A whole answer. */
export interface WireAnswer {
  status: number;
  contentType: string | undefined;
  /** The header `Retry-After` of a 503. */
  retryAfter?: string | undefined;
  body: Buffer;
}

/** The answer did not come in time. */
export class TimedOut extends Error {
  constructor() {
    super('it did not answer in time');
  }
}

/** The answer is larger than is taken. */
export class TooLarge extends Error {
  constructor(maxBytes: number) {
    super(`its answer is over ${maxBytes} bytes`);
  }
}

/** The caller left before the answer came. */
export class Left extends Error {
  constructor() {
    super('the caller left');
  }
}

const NOTHING = Buffer.alloc(0);

/**
 * One exchange from its dispatch to its outcome: time limit and the caller's leaving cut it. Written as one object with
 * plain fields, because it is made for every call: signals, closures and timers beyond the one are felt.
 */
export abstract class WireExchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #cut: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: LeaveSignal | undefined;

  constructor(
    request: WireRequest,
    private readonly reject: (error: unknown) => void,
  ) {
    const { signal } = request;
    this.#timer = setTimeout(timeUp, request.timeoutMs, this);
    this.#signal = signal;
    if (!signal) return;
    if (signal.aborted) this.handleEvent();
    else signal.addEventListener('abort', this);
  }

  /** The caller left. */
  handleEvent(): void {
    this.cut(new Left());
  }

  /** Ends the exchange with this error, whatever state it is in. */
  cut(error: Error): void {
    if (this.#cut) return;
    this.#cut = error;
    this.settled();
    // Before it has a connection there is nothing to abort: it is aborted as soon as it starts.
    this.#controller?.abort(error);
    this.reject(error);
  }

  /** Nothing cuts it by time any more. */
  protected inTime(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** It has its outcome. */
  protected settled(): void {
    this.inTime();
    this.#signal?.removeEventListener('abort', this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cut) controller.abort(this.#cut);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settled();
    this.reject(this.#cut ?? error);
  }

  abstract onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void;
  abstract onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void;
  abstract onResponseEnd(): void;
}

function timeUp(exchange: WireExchange): void {
  exchange.cut(new TimedOut());
}

/** Collects an answer whole. */
export class WholeAnswer extends WireExchange {
  #status = 0;
  #contentType: string | undefined;
  #retryAfter: string | undefined;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;
  #sizeBytes = 0;

  constructor(
    private readonly request: WireRequest,
    private readonly resolve: (answer: WireAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    super(request, reject);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status;
    const type = headers['content-type'];
    this.#contentType = typeof type === 'string' ? type : undefined;
    if (status === 503) this.#retryAfter = String(headers['retry-after']);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sizeBytes += chunk.length;
    const { maxBytes } = this.request;
    if (this.#sizeBytes > maxBytes) this.cut(new TooLarge(maxBytes));
    else if (!this.#first) this.#first = chunk;
    else if (this.#rest) this.#rest.push(chunk);
    else this.#rest = [this.#first, chunk];
  }

  onResponseEnd(): void {
    this.settled();
    const body = this.#rest ? Buffer.concat(this.#rest, this.#sizeBytes) : (this.#first ?? NOTHING);
    this.resolve({ status: this.#status, contentType: this.#contentType, retryAfter: this.#retryAfter, body });
  }
}
