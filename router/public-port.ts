import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Listener } from './http/listener.ts';
import { Reply } from './http/reply.ts';
import type { SocketDoor } from './http/websocket.ts';

/** A client that sends its headers more slowly is cut, milliseconds. */
const HEADERS_MS = 10_000;
/** A client that sends its whole request more slowly is cut, milliseconds. */
const REQUEST_MS = 30_000;
/** Longer than balancers keep theirs, so that they close first, milliseconds. */
const KEEP_ALIVE_MS = 65_000;
/** How long what is under way may take once the router stops, milliseconds. */
const DRAIN_MS = 4_000;
const DRAIN_LOOK_MS = 50;

/** The one port that clients see. */
export class PublicPort {
  readonly #server: Server<typeof IncomingMessage, typeof Reply>;

  constructor(listener: Listener, sockets: SocketDoor) {
    this.#server = createServer(
      { ServerResponse: Reply },
      (request, response) => void listener.answer(request, response),
    );
    this.#server.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      else socket.destroy();
    });
    this.#server.headersTimeout = HEADERS_MS;
    this.#server.requestTimeout = REQUEST_MS;
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  /** @returns http://host:port */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  }

  /** Takes nothing new, and waits for what is under way. @param drain ends what would stay open */
  async close(drain: () => void): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    drain();
    const look = setInterval(() => this.#server.closeIdleConnections(), DRAIN_LOOK_MS);
    const cut = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS);
    await closed;
    clearInterval(look);
    clearTimeout(cut);
  }
}
