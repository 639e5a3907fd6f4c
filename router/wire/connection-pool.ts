import { type Address, Connection, type ConnectionOwner } from './connection.ts';
import type { Exchange } from './exchange.ts';

/** How often idle connections are looked at, milliseconds. */
const SWEEP_MS = 1_000;
/** Shorter than servers keep theirs (node: 5 s), so that none is used just as it closes. */
const IDLE_SWEEPS = 3;
/** A server that says when it closes is left this much earlier, milliseconds. */
const MARGIN_MS = 1_000;

/** Connections to one address, kept for the next exchange. Beyond `most` an exchange waits for one, within its own time limit. */
export class ConnectionPool implements ConnectionOwner {
  /** The one used last is used next: the others may grow old and end. */
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();
  #waiting: Exchange[] = [];
  #sweeps = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly address: Address,
    private readonly most: number,
  ) {}

  /**
   * Sends an exchange's request as soon as there is a connection. Once closed, it fails.
   * @param isFresh on a new one, if there may be one more
   */
  start(exchange: Exchange, isFresh = false): void {
    if (exchange.isOver) return;
    const idle = isFresh && this.#all.size < this.most ? undefined : this.#idle.pop();
    if (idle) idle.carry(exchange);
    else if (this.#isClosed) exchange.onFail(new Error('the way to this address was closed'));
    else if (this.#all.size < this.most) this.#open(exchange);
    else this.#waiting.push(exchange);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    const error = new Error('the way to this address was closed');
    for (const connection of [...this.#all]) connection.fail(error);
    for (const exchange of this.#waiting.splice(0)) exchange.onFail(error);
  }

  onFree(connection: Connection): void {
    const next = this.#nextWaiting();
    if (next) {
      connection.carry(next);
      return;
    }
    connection.usedAt = this.#sweeps;
    this.#idle.push(connection);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  onGone(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const next = this.#isClosed ? undefined : this.#nextWaiting();
    if (next) this.#open(next);
  }

  #open(exchange: Exchange): void {
    const connection = new Connection(this.address, this);
    this.#all.add(connection);
    connection.carry(exchange);
  }

  #nextWaiting(): Exchange | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next?.isOver) return next;
    }
  }

  #sweep(): void {
    this.#sweeps += 1;
    for (const connection of [...this.#idle]) {
      const keptSweeps = Math.min(IDLE_SWEEPS, Math.floor((connection.keptMs - MARGIN_MS) / SWEEP_MS));
      if (this.#sweeps - connection.usedAt >= keptSweeps) connection.fail(new Error('it was idle'));
    }
    if (this.#idle.length > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
