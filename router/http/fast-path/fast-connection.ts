import type { Socket } from 'node:net';
import { turnAway } from '../farewell.ts';
import { FastReply, type ReplyConnection } from './fast-reply.ts';
import { FastRequest } from './fast-request.ts';
import { MAX_HEAD_BYTES, REQUEST_LINE, type RequestHead, readHead } from './request-head.ts';

/** Whose connections they are. */
export interface FastPathOwner {
  /** Larger bodies are node's to refuse, bytes. */
  readonly maxBodyBytes: number;
  /** Answers a request; told of the reply when it is over. */
  ask(request: FastRequest, reply: FastReply): void;
  /** The reply was sent, or its caller left. */
  onDone(reply: FastReply): void;
  /** The connection is node's from here on. @param bytes what has come and was not answered */
  handOver(connection: FastConnection, socket: Socket, bytes: Buffer): void;
  onGone(connection: FastConnection): void;
  /** Now, as a header has it. */
  readonly date: string;
  /** How long a connection is kept between two requests, as a header has it; undefined: it ends with this answer. */
  readonly keepAlive: string | undefined;
  /** Turns of the clock so far. */
  readonly tick: number;
}

/** What a connection waits for. */
export type FastPhase = 'fresh' | 'idle' | 'body' | 'answer' | 'drain';

const END_OF_HEAD = '\r\n\r\n';
/** What may wait behind a request that is being answered, bytes; beyond it nothing more is read. */
const MAX_WAITING_BYTES = 65_536;
/** An answer up to this length is one text with its head; a longer one would be copied for that. */
const JOINED_LENGTH = 16_000;

/** One client connection, as long as all that comes by it are ordinary questions; one at a time. */
export class FastConnection implements ReplyConnection {
  phase: FastPhase = 'fresh';
  /** The turn of the owner's clock at which the phase began. */
  sinceTick: number;
  /** The turn at which something last came or was sent. */
  movedTick: number;
  #waiting: Buffer | undefined;
  #pieces: Buffer[] = [];
  #piecesBytes = 0;
  #reply: FastReply | undefined;
  /** The head as it came last: clients send the same ones again and again. */
  #headText = '';
  #head: RequestHead | undefined;
  readonly #onData = (piece: Buffer) => this.#take(piece);
  readonly #onEnd = () => this.#socket.end();
  readonly #onDrain = () => this.#drained();
  readonly #onGone = () => this.#gone();
  readonly #socket: Socket;

  constructor(
    socket: Socket,
    private readonly owner: FastPathOwner,
  ) {
    this.#socket = socket;
    this.sinceTick = owner.tick;
    this.movedTick = owner.tick;
    socket.setNoDelay(true);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  get isBusy(): boolean {
    return this.phase === 'body' || this.phase === 'answer' || this.phase === 'drain';
  }

  connectionLines(): string {
    const { date, keepAlive } = this.owner;
    return `date: ${date}\r\n${keepAlive === undefined ? 'connection: close\r\n' : `connection: keep-alive\r\nkeep-alive: timeout=${keepAlive}\r\n`}`;
  }

  write(head: string, body: string | Uint8Array, isAscii: boolean): void {
    const socket = this.#socket;
    if (typeof body !== 'string') {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body);
      socket.uncork();
    } else if (body.length <= JOINED_LENGTH) {
      // Where nothing needs more than a byte, writing is copying.
      socket.write(head + body, isAscii ? 'latin1' : 'utf8');
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body, isAscii ? 'latin1' : 'utf8');
      socket.uncork();
    }
    this.#answered();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#gone();
  }

  /** Ends it with a status of the transport. */
  refuse(status: number): void {
    turnAway(this.#socket, status);
  }

  #take(piece: Buffer): void {
    this.movedTick = this.owner.tick;
    if (this.phase === 'body') this.#takeBody(piece);
    else if (this.phase === 'answer' || this.phase === 'drain') this.#hold(piece);
    else this.#takeHead(piece);
  }

  /** Whoever sends the next before he has the answer waits. */
  #hold(piece: Buffer): void {
    this.#waiting = this.#waiting ? Buffer.concat([this.#waiting, piece]) : piece;
    if (this.#waiting.length > MAX_WAITING_BYTES) this.#socket.pause();
  }

  #takeHead(piece: Buffer): void {
    const end = piece.indexOf(END_OF_HEAD);
    const head = end < 0 || end > MAX_HEAD_BYTES ? undefined : this.#headOf(piece.toString('latin1', 0, end));
    if (!head || head.contentLength > this.owner.maxBodyBytes) {
      this.#handOver(piece);
      return;
    }
    const bodyStart = end + END_OF_HEAD.length;
    if (piece.length - bodyStart >= head.contentLength) {
      this.#ask(head, piece, bodyStart);
      return;
    }
    this.#enter('body');
    this.#head = head;
    this.#pieces = [piece];
    this.#piecesBytes = piece.length - bodyStart;
  }

  #headOf(text: string): RequestHead | undefined {
    if (text === this.#headText) return this.#head;
    if (!text.startsWith(REQUEST_LINE)) return undefined;
    const head = readHead(text);
    this.#headText = head ? text : '';
    this.#head = head;
    return head;
  }

  #takeBody(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#piecesBytes += piece.length;
    const head = this.#head as RequestHead;
    if (this.#piecesBytes < head.contentLength) return;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#ask(head, all, all.length - this.#piecesBytes);
  }

  #ask({ headers, contentLength }: RequestHead, bytes: Buffer, bodyStart: number): void {
    const bodyEnd = bodyStart + contentLength;
    if (bytes.length > bodyEnd) this.#waiting = bytes.subarray(bodyEnd);
    this.#enter('answer');
    const reply = new FastReply(this);
    this.#reply = reply;
    this.owner.ask(new FastRequest(headers, bytes.subarray(bodyStart, bodyEnd), this.#socket), reply);
  }

  #answered(): void {
    const reply = this.#reply as FastReply;
    this.#reply = undefined;
    this.owner.onDone(reply);
    if (this.owner.keepAlive === undefined) this.#socket.end();
    else if (this.#socket.writableNeedDrain) this.#enter('drain');
    else this.#next();
  }

  #drained(): void {
    if (this.phase === 'drain') this.#next();
  }

  #next(): void {
    this.#enter('idle');
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    // In a turn of its own: a client that sends many at once must not nest them.
    setImmediate(() => {
      if (this.#socket.destroyed) return;
      this.#socket.resume();
      // What came meanwhile comes after it.
      const later = this.#waiting;
      this.#waiting = undefined;
      this.#takeHead(later ? Buffer.concat([waiting, later]) : waiting);
    });
    this.phase = 'answer';
  }

  #enter(phase: FastPhase): void {
    this.phase = phase;
    this.sinceTick = this.owner.tick;
    this.movedTick = this.owner.tick;
  }

  #handOver(bytes: Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('error', this.#onGone);
    socket.off('close', this.#onGone);
    this.owner.handOver(this, socket, bytes);
  }

  #gone(): void {
    this.owner.onGone(this);
    const reply = this.#reply;
    this.#reply = undefined;
    if (!reply) return;
    reply.caller.leave();
    this.owner.onDone(reply);
  }
}
