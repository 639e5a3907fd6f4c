import { type IncomingMessage, ServerResponse } from 'node:http';

/** Headers as a flat list of names and values: the form that is written without building anything from it. */
export type HeaderPairs = string[];

/** Where a whole answer is put down, whichever way its request came. */
export interface WholeReply {
  /** Told in `x-request-id`. */
  requestId: string;
  readonly headersSent: boolean;
  /** Whether nobody is there any more to be answered. */
  readonly destroyed: boolean;
  /** Sends all of it; once. @param pairs all headers but the length, and what belongs to the connection */
  sendWhole(status: number, body: string | Uint8Array, pairs: HeaderPairs): void;
  destroy(): unknown;
}

/** The answer of one request, which knows the request's id. */
export class Reply extends ServerResponse<IncomingMessage> implements WholeReply {
  requestId = '';

  sendWhole(status: number, body: string | Uint8Array, pairs: HeaderPairs): void {
    pairs.push('content-length', String(Buffer.byteLength(body)));
    this.writeHead(status, pairs);
    this.end(body);
  }
}
