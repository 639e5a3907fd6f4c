import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import { textOf } from '../subscribe/item-text.ts';
import type { StreamBatch } from '../subscribe/stream-batch.ts';
import { type BoundedStream, QueueRoom } from './bounded-stream.ts';
import { drained } from './drained.ts';
import { Turns } from './turns.ts';

const PING_MS = 15_000;
/** Pings without a pong after which a socket is dead. */
const MISSED_PONGS = 2;
/** The same while its peer has much to read and is not listened to: two minutes for that. */
const MISSED_WHILE_UNREAD = 8;
/** How long a socket may take to say goodbye before it is cut, milliseconds. */
const GOODBYE_MS = 2_000;

/** What may wait to be read by a peer before he is listened to again, bytes. */
const UNREAD_BYTES = 1_000_000;

/** Sockets whose streams are ended between two turns of the loop: thousands may be cut at once. */
const CLOSED_AT_ONCE = 16;
/** What is still to be done for sockets that are closed. */
export const closings = new Turns(CLOSED_AT_ONCE);

/** Close codes beside graphql-transport-ws's own. */
export const CLOSE = {
  tooBig: 1009,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badRequest: 4400,
  unauthorized: 4401,
  forbidden: 4403,
} as const;

/** One socket: who is on it, what runs on it, whether it lives. */
export class SocketSession {
  principal: Principal | undefined;
  token: string | undefined;
  /** What waits for its reader, whichever operation it is of. */
  readonly room = new QueueRoom();
  /** What is being admitted, by id: the last that was asked for under it. */
  readonly admitting = new Map<string, object>();
  readonly #streams = new Set<BoundedStream>();
  #unanswered = 0;
  readonly #pinging: NodeJS.Timeout;

  constructor(
    readonly socket: WebSocket,
    readonly request: IncomingMessage,
    private readonly pingMs = PING_MS,
  ) {
    this.#pinging = setInterval(() => this.#ping(), this.pingMs);
    // Each of its operations waits for its end, or for room, and there may be many.
    socket.setMaxListeners(0);
    request.socket.setMaxListeners(0);
    const hear = () => {
      this.#unanswered = 0;
    };
    socket.on('pong', hear);
    // A pong waits behind all that was sent before it: whoever talks is not dead.
    socket.on('message', hear);
    // Answered by the socket itself, as often as they come.
    socket.on('ping', () => this.pace());
    socket.once('close', () => closings.add(() => this.#end()));
  }

  /** One that is begun when the socket has gone ends at once. @returns takes it out again */
  add(stream: BoundedStream): () => void {
    this.#streams.add(stream);
    if (this.socket.readyState !== this.socket.OPEN) stream.close();
    return () => this.#streams.delete(stream);
  }

  /** Sends payloads of one operation. @returns until there is room for more, when there is none by now */
  tell(id: string, { items }: StreamBatch): Promise<void> | undefined {
    const connection = this.request.socket;
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    connection.cork();
    for (const { answer } of items) if (answer) this.socket.send(`${head}${textOf(answer)}}`);
    connection.uncork();
    return connection.writableNeedDrain ? drained(connection) : undefined;
  }

  /** Tells one operation's heartbeats as payloads; a peer who does not read needs none. @returns ends it */
  beat(id: string, stream: BoundedStream): () => void {
    const beating = setInterval(() => {
      if (!this.request.socket.writableNeedDrain) void this.tell(id, stream.heartbeat);
    }, this.pingMs);
    return () => clearInterval(beating);
  }

  /** Whoever does not read what he is told is not listened to either: it would heap up here, whatever he asks. */
  pace(): void {
    const connection = this.request.socket;
    if (this.socket.isPaused || connection.writableLength <= UNREAD_BYTES) return;
    this.socket.pause();
    void drained(connection).then(() => this.socket.resume());
  }

  /** @returns until what he was told is read, when that is much */
  get read(): Promise<void> | undefined {
    const connection = this.request.socket;
    return connection.writableLength > UNREAD_BYTES ? drained(connection) : undefined;
  }

  /** Closes it; a peer that does not answer is cut. */
  close(code: number, reason: string): void {
    this.socket.close(code, reason);
    setTimeout(() => this.socket.terminate(), GOODBYE_MS).unref();
  }

  /** Tells every running subscription, then closes. */
  expire(): void {
    const ended = new FleetError('UNAUTHENTICATED', 'your token ended: connect with a new one');
    for (const stream of this.#streams) stream.fail(ended);
    // The last items leave in the turns of the loop that come before this one.
    setImmediate(() => setImmediate(() => this.close(CLOSE.unauthorized, 'Unauthorized')));
  }

  /** Stock clients come back after 1012, and go on by cursor. */
  drain(): void {
    this.close(CLOSE.serviceRestart, 'Service Restart');
  }

  #ping(): void {
    const mayMiss = this.socket.isPaused ? MISSED_WHILE_UNREAD : MISSED_PONGS;
    if (this.#unanswered >= mayMiss) this.socket.terminate();
    else this.socket.ping();
    this.#unanswered += 1;
  }

  #end(): void {
    clearInterval(this.#pinging);
    for (const stream of this.#streams) stream.close();
  }
}
