import type { LeaveSignal } from '../leave-signal.ts';
import type { Connection } from './connection.ts';
import type { RequestText } from './request-text.ts';
import type { ResponseHead } from './response-parser.ts';
import type { WireRequest } from './wire.ts';

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

/** A kept connection was closed by its other side, most likely before it knew of the request: nothing of an answer came. */
export class StaleConnection extends Error {
  constructor() {
    super('the connection was closed as it was used again');
  }
}

/** The caller left before the answer came. */
export class Left extends Error {
  constructor() {
    super('the caller left');
  }
}

/**
 * One request and its answer, from the wait for a connection to the outcome: time limit and the caller's leaving cut it.
 * Written as one object with plain fields, because it is made for every call: signals, closures and timers beyond the one
 * are felt.
 */
export abstract class Exchange {
  #connection: Connection | undefined;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #signal: LeaveSignal | undefined;

  /** For a caller who is there: nothing can be cut before it is whole. @param sent the request's head and body */
  constructor(
    { signal, timeoutMs }: WireRequest,
    readonly sent: RequestText,
    private readonly reject: (error: unknown) => void,
  ) {
    this.#timer = setTimeout(timeUp, timeoutMs, this);
    this.#signal = signal;
    signal?.addEventListener('abort', this);
  }

  /** Whether it has its outcome: a connection that comes now is none of its. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The connection that sends it. */
  carriedBy(connection: Connection): void {
    this.#connection = connection;
  }

  /** The caller left. */
  handleEvent(): void {
    this.cut(new Left());
  }

  /** Ends the exchange with this error, whatever state it is in; what is on its way cannot be told from the next answer. */
  cut(error: Error): void {
    if (this.#isOver) return;
    this.settled();
    this.#connection?.fail(error);
    this.reject(error);
  }

  onFail(error: Error): void {
    if (this.#isOver) return;
    this.settled();
    this.reject(error);
  }

  abstract onHead(head: ResponseHead): void;
  abstract onBody(bytes: Buffer): void;
  abstract onEnd(): void;

  protected pause(): void {
    this.#connection?.pause();
  }

  protected resume(): void {
    this.#connection?.resume();
  }

  /** Nothing cuts it by time any more. */
  protected inTime(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** It has its outcome. */
  protected settled(): void {
    this.#isOver = true;
    this.inTime();
    this.#signal?.removeEventListener('abort', this);
  }
}

function timeUp(exchange: Exchange): void {
  exchange.cut(new TimedOut());
}
