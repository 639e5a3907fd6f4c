import type { Socket } from 'node:net';
import { FastConnection, type FastPathOwner } from './fast-connection.ts';
import type { FastReply } from './fast-reply.ts';
import type { FastRequest } from './fast-request.ts';

/** How long connections may keep the port waiting. */
export interface FastPathLimits {
  headersMs: number;
  requestMs: number;
  keepAliveMs: number;
  idleMs: number;
}

export interface FastPathOptions {
  limits: FastPathLimits;
  /** Larger bodies are node's to refuse, bytes. */
  maxBodyBytes: number;
  /** Epoch milliseconds, for the header `date`. */
  nowMs(): number;
  /** Answers a request; never throws. */
  answer(request: FastRequest, reply: FastReply): void;
  /** Told of each reply, once: it was sent, or nobody waits for it any more. */
  onDone(reply: FastReply): void;
  /** Node's own way to take a connection. */
  onward(socket: Socket): void;
}

const LONGEST_TICK_MS = 1_000;
const LOOKS = 4;

/**
 * The short way from a socket to the graph and back, for ordinary questions; all else is node's (docs/decisions/0008).
 */
export class FastPath implements FastPathOwner {
  readonly maxBodyBytes: number;
  tick = 0;
  date: string;
  keepAlive: string | undefined;
  readonly #connections = new Set<FastConnection>();
  readonly #ticker: NodeJS.Timeout;

  constructor(private readonly options: FastPathOptions) {
    const { headersMs, requestMs, keepAliveMs, idleMs } = options.limits;
    this.maxBodyBytes = options.maxBodyBytes;
    this.date = this.#now();
    this.keepAlive = String(Math.floor(keepAliveMs / 1_000));
    const tickMs = Math.min(LONGEST_TICK_MS, Math.ceil(Math.min(headersMs, requestMs, keepAliveMs, idleMs) / LOOKS));
    this.#ticker = setInterval(() => this.#look(tickMs), tickMs).unref();
  }

  /** Takes a new connection. */
  accept(socket: Socket): void {
    this.#connections.add(new FastConnection(socket, this));
  }

  ask(request: FastRequest, reply: FastReply): void {
    this.options.answer(request, reply);
  }

  onDone(reply: FastReply): void {
    this.options.onDone(reply);
  }

  onGone(connection: FastConnection): void {
    this.#connections.delete(connection);
  }

  handOver(connection: FastConnection, socket: Socket, bytes: Buffer): void {
    this.#connections.delete(connection);
    this.options.onward(socket);
    // Told as the socket itself tells: node's listener is the only one now.
    socket.emit('data', bytes);
  }

  /** Takes nothing more: what is idle ends, what is under way ends with its answer. */
  drain(): void {
    clearInterval(this.#ticker);
    this.keepAlive = undefined;
    for (const connection of [...this.#connections]) if (!connection.isBusy) connection.destroy();
  }

  /** Ends all of them, whatever is under way. */
  cut(): void {
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #look(tickMs: number): void {
    this.tick += 1;
    this.date = this.#now();
    const { headersMs, requestMs, keepAliveMs, idleMs } = this.options.limits;
    for (const connection of [...this.#connections]) {
      const { phase } = connection;
      // What began between two turns has had one less.
      const sinceMs = (this.tick - connection.sinceTick - 1) * tickMs;
      const stillMs = (this.tick - connection.movedTick - 1) * tickMs;
      if (phase === 'body' && sinceMs >= requestMs) connection.refuse(408);
      else if (phase === 'idle' ? sinceMs >= keepAliveMs : stillMs >= idleMs) connection.destroy();
      else if (phase === 'fresh' && sinceMs >= headersMs) connection.destroy();
    }
  }

  #now(): string {
    return new Date(this.options.nowMs()).toUTCString();
  }
}
