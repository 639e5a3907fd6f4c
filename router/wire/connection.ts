import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Exchange, StaleConnection } from './exchange.ts';
import { type ResponseHead, ResponseParser, type ResponseSink } from './response-parser.ts';

/** Where connections go. */
export interface Address {
  host: string;
  port: number;
  isSecure: boolean;
}

/** Whose connection it is: told when it may be used again, and when it is gone. */
export interface ConnectionOwner {
  onFree(connection: Connection): void;
  onGone(connection: Connection): void;
}

/**
 * One connection; it carries one exchange at a time. A second request is never sent before the first one's answer is whole:
 * what is slow holds up nobody else, and no answer can be taken for another's.
 */
export class Connection implements ResponseSink {
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #exchange: Exchange | undefined;
  #isGone = false;
  #isReused = false;
  /** Whether anything came since the request was sent. */
  #isHeard = true;
  /** Turns of its owner's clock at which it was last in use. */
  usedAt = 0;

  constructor(
    address: Address,
    private readonly owner: ConnectionOwner,
  ) {
    const socket = connectionTo(address);
    this.#socket = socket;
    socket.setNoDelay(true);
    // Finds out about a peer that is gone while a stream is quiet.
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#lost(error));
    socket.on('close', () => this.#lost(new Error('the connection was closed')));
  }

  /** How long the peer keeps it while nothing is sent, by its last answer, milliseconds. */
  get keptMs(): number {
    const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(this.#parser.keepAlive ?? '')?.[1];
    return seconds === undefined ? Number.POSITIVE_INFINITY : 1_000 * Number(seconds);
  }

  /** Sends a request; the exchange is told what comes of it. It must be free. */
  carry(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#isHeard = false;
    this.#parser.begin();
    exchange.carriedBy(this);
    this.#socket.write(exchange.sent.text, exchange.sent.encoding);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it; what it carries fails with this error. */
  fail(error: Error): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#parser.stop();
    this.#socket.destroy();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.owner.onGone(this);
    exchange?.onFail(error);
  }

  onHead(head: ResponseHead): void {
    this.#exchange?.onHead(head);
  }

  onBody(bytes: Buffer): void {
    this.#exchange?.onBody(bytes);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    // An answer that came before its request was sent whole leaves bytes on the way.
    const isReusable = this.#parser.isReusable && this.#socket.writableLength === 0;
    this.#isReused = true;
    if (!isReusable) this.fail(new Error('the connection is not used again'));
    exchange?.onEnd();
  }

  #take(piece: Buffer): void {
    this.#isHeard = true;
    try {
      this.#parser.take(piece);
    } catch (error) {
      this.fail(error as Error);
    }
    // Only now: what came after an answer in the same piece must not be the next one's.
    if (!this.#exchange && !this.#isGone) this.owner.onFree(this);
  }

  #ended(): void {
    try {
      this.#parser.end();
      this.#lost(new Error('the connection was closed'));
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  /** Its other side ended it. Whoever keeps connections closes them some time: that alone is no failure of what is behind them. */
  #lost(error: Error): void {
    this.fail(this.#isReused && !this.#isHeard ? new StaleConnection() : error);
  }
}

function connectionTo({ host, port, isSecure }: Address): Socket {
  if (!isSecure) return connectTcp({ host, port });
  return connectTls({ host, port, ALPNProtocols: ['http/1.1'], ...(isIP(host) ? {} : { servername: host }) });
}
