import { createServer, type Server, type Socket } from 'node:net';
import { asFleetError, messageOf } from '../../../../lib/errors.ts';
import type { Log } from '../../../../lib/log.ts';
import type { Line } from '../lines/line.ts';
import { Frames } from './framing.ts';
import { readSyslog } from './message.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 256;
const IDLE_MS = 10 * 60_000;
const RETRY_MS = 250;

/** Stores lines; resolves once they are durable. */
export type TakeLines = (lines: readonly Line[]) => Promise<void>;

/**
 * Takes syslog (RFC 5424) over TCP. A connection is read on once what it sent is durable: a sender that is faster than the
 * store waits, and what a crash takes is no more than what was under way.
 */
export class SyslogListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(
    private readonly take: TakeLines,
    private readonly log: Log,
  ) {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @returns the port; 0 asks for a free one */
  start(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as { port: number }).port);
      });
    });
  }

  /** Stores what was read, and lets go of its senders. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    const running = this.#read(socket)
      .catch((error: unknown) => {
        if (!this.#isStopped) this.log.warn('logs.syslog.cut', { from: socket.remoteAddress, error: messageOf(error) });
      })
      .finally(() => {
        socket.destroy();
        this.#sockets.delete(socket);
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async #read(socket: Socket): Promise<void> {
    const frames = new Frames(MAX_MESSAGE_BYTES);
    for await (const chunk of socket) {
      await this.#store(frames.push(chunk as Buffer));
      frames.check();
    }
    await this.#store(frames.end());
  }

  async #store(messages: readonly Buffer[]): Promise<void> {
    if (!messages.length) return;
    const lines = messages.map(readSyslog);
    for (;;) {
      try {
        return await this.take(lines);
      } catch (error) {
        // Nobody would send it again: it is kept until there is room, and its sender waits.
        if (this.#isStopped || asFleetError(error)?.extensions['retryable'] !== true) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
