import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { turnAway } from './http/farewell.ts';
import { FastPath } from './http/fast-path/fast-path.ts';
import { faultOf } from './http/framing.ts';
import type { Hosts } from './http/hosts.ts';
import type { Listener } from './http/listener.ts';
import { Reply } from './http/reply.ts';
import { hostOf } from './http/request-target.ts';
import { Turns } from './http/turns.ts';
import { asksForSocket, headWithoutOffer } from './http/upgrade-offer.ts';
import type { SocketDoor } from './http/websocket.ts';

/** How long connections may keep the port waiting, and how many there may be. */
export interface PortLimits {
  /** A client that sends its headers more slowly is cut, milliseconds. */
  headersMs: number;
  /** A client that sends its whole request more slowly is cut, milliseconds. */
  requestMs: number;
  /** A connection between two requests; longer than balancers keep theirs, so that they close first, milliseconds. */
  keepAliveMs: number;
  /** A connection on which nothing moves while it is asked or answered, milliseconds. */
  idleMs: number;
  /** All connections; one more is dropped. */
  connections: number;
}

export const PORT_LIMITS: PortLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
  idleMs: 120_000,
  connections: 16_384,
};

/** Connections that the system holds until they are accepted: one that finds no place there tries again after a second. */
const BACKLOG = 4_096;
/** Sockets that are made between two turns of the loop. */
const UPGRADES_PER_TURN = 8;

/** What a connection is told that sent no proper request; anything else is 400. */
const STATUS_BY_ERROR: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };
/** How often connections are looked at that are too slow, a part of the shortest time they have. */
const LOOKS = 4;
/** How long what is under way may take once the router stops, milliseconds. */
const DRAIN_MS = 3_500;
const DRAIN_LOOK_MS = 50;

/** The one port that clients see. */
export class PublicPort {
  readonly #server: Server<typeof IncomingMessage, typeof Reply>;
  readonly #fast: FastPath;
  readonly #upgraded = new Set<Duplex>();
  readonly #upgrades = new Turns(UPGRADES_PER_TURN);

  constructor(
    listener: Listener,
    sockets: SocketDoor,
    hosts: Hosts,
    maxBodyBytes: number,
    limits: PortLimits = PORT_LIMITS,
  ) {
    const { headersMs, requestMs, keepAliveMs, idleMs, connections } = limits;
    const options = {
      ServerResponse: Reply,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.ceil(Math.min(headersMs, requestMs) / LOOKS),
    };
    this.#server = createServer(options, (request, response) => void listener.answer(request, response));
    this.#server.setTimeout(idleMs);
    const onward = this.#server.listeners('connection');
    this.#fast = new FastPath({
      limits,
      maxBodyBytes,
      nowMs: () => listener.nowMs(),
      answer: (request, reply) => void listener.answerFast(request, reply),
      onDone: (reply) => listener.fastDone(reply),
      onward: (socket) => {
        for (const take of onward) take.call(this.#server, socket);
      },
    });
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket: Socket) => this.#fast.accept(socket));
    this.#server.maxConnections = connections;
    this.#server.on('upgrade', (request, socket, head) => {
      if (!asksForSocket(request)) return this.#decline(request, socket, head);
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      const [status] = faultOf(request) ?? [];
      if (status !== undefined) turnAway(socket, status);
      else if (!hosts.takes(hostOf(request))) turnAway(socket, 421);
      else this.#upgrades.add(() => sockets.upgrade(request, socket, head));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      turnAway(socket, STATUS_BY_ERROR[error.code ?? ''] ?? 400);
    });
  }

  /** @returns http://host:port */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host, backlog: BACKLOG }, resolve);
    });
    const address = this.#server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  }

  /** Reads the request again, as one that offers nothing: what is read is what was sent, so that its body follows it. */
  #decline(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.unshift(Buffer.concat([headWithoutOffer(request), head]));
    this.#server.emit('connection', socket);
  }

  /** Takes nothing new, and waits for what is under way. @param drain ends what would stay open */
  async close(drain: () => void): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#fast.drain();
    drain();
    const look = setInterval(() => this.#server.closeIdleConnections(), DRAIN_LOOK_MS);
    const cut = setTimeout(() => {
      this.#server.closeAllConnections();
      this.#fast.cut();
      // The server waits for these too, and no longer knows them.
      for (const socket of this.#upgraded) socket.destroy();
    }, DRAIN_MS);
    await closed;
    clearInterval(look);
    clearTimeout(cut);
  }
}
