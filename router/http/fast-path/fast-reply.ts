import { STATUS_CODES } from 'node:http';
import { Presence } from '../../leave-signal.ts';
import type { HeaderPairs, WholeReply } from '../reply.ts';

/** What a reply needs of the connection that it is sent on. */
export interface ReplyConnection {
  /** Headers that belong to the connection, each with its line's end. */
  connectionLines(): string;
  /** Sends an answer's head and body. */
  write(head: string, body: string | Uint8Array, isAscii: boolean): void;
  destroy(): void;
}

/** What could end a header's line. */
const ILLEGAL = /[^\t\x20-\x7e]/;

/** The answer of one request on the fast path. */
export class FastReply implements WholeReply {
  requestId = '';
  headersSent = false;
  statusCode = 200;
  /** Whoever waits for it. */
  readonly caller = new Presence();

  constructor(private readonly connection: ReplyConnection) {}

  get destroyed(): boolean {
    return this.caller.aborted;
  }

  sendWhole(status: number, body: string | Uint8Array, pairs: HeaderPairs): void {
    this.headersSent = true;
    this.statusCode = status;
    const sizeBytes = Buffer.byteLength(body);
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    for (let at = 0; at < pairs.length; at += 2) {
      const value = pairs[at + 1] as string;
      if (ILLEGAL.test(value)) throw new TypeError(`the header ${pairs[at]} has characters that no header has`);
      head += `${pairs[at]}: ${value}\r\n`;
    }
    head += `${this.connection.connectionLines()}content-length: ${sizeBytes}\r\n\r\n`;
    this.connection.write(head, body, sizeBytes === body.length);
  }

  destroy(): void {
    this.connection.destroy();
  }
}
