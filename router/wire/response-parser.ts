import { closes, type HeadFields, headFieldsOf, isWellFormed } from './head-fields.ts';

/** What is no HTTP/1.1 response, or one that can be read in two ways: its connection is not used again. */
export class MalformedResponse extends Error {}

/** The head of a response, as far as a GraphQL answer needs it. */
export interface ResponseHead {
  status: number;
  contentType: string | undefined;
  retryAfter: string | undefined;
}

/** Is told of one response, in order; may stop the parser at any of these. */
export interface ResponseSink {
  onHead(head: ResponseHead): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

/** Heads, chunk lines and trailers beyond this are not read, bytes. */
const MAX_HEAD_BYTES = 16_384;
const MAX_LINE_BYTES = 1_024;
/** Interim responses (1xx) before the one that counts. */
const MAX_INTERIM = 8;

const END_OF_HEAD = '\r\n\r\n';
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const LENGTH = /^\d{1,15}$/;

type State = 'head' | 'length' | 'close' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'done' | 'stopped';

/**
 * Reads HTTP/1.1 responses to POST from the pieces that a connection gives (RFC 9112), one after the other: `begin`
 * before each. Strict where readers differ: two lengths, a length beside an encoding, another encoding than chunked, or
 * anything after the end are errors, so that no answer is ever taken for another call's.
 */
export class ResponseParser {
  #state: State = 'done';
  /** What has come of a head or a line that is not whole. */
  #rest: Buffer | undefined;
  #left = 0;
  #interim = 0;
  #trailerBytes = 0;
  #isReusable = true;
  #keepAlive: string | undefined;

  constructor(private readonly sink: ResponseSink) {}

  /** Whether another request may follow on the connection; known at the end. */
  get isReusable(): boolean {
    return this.#isReusable;
  }

  /** The value of the header Keep-Alive, if there was one. */
  get keepAlive(): string | undefined {
    return this.#keepAlive;
  }

  /** A request was sent: the next bytes are its response's. */
  begin(): void {
    this.#state = 'head';
    this.#interim = 0;
    this.#trailerBytes = 0;
  }

  /** Nothing that comes is told any more. */
  stop(): void {
    this.#state = 'stopped';
    this.#rest = undefined;
  }

  /** @throws MalformedResponse */
  take(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      switch (this.#state) {
        case 'head':
          at = this.#takeHead(piece, at);
          break;
        case 'length':
        case 'chunk':
          at = this.#takeCounted(piece, at);
          break;
        case 'close':
          this.sink.onBody(at === 0 ? piece : piece.subarray(at));
          return;
        case 'chunk size':
        case 'chunk end':
        case 'trailers':
          at = this.#takeLine(piece, at);
          break;
        case 'done':
          throw new MalformedResponse('bytes came that nobody had asked for');
        default:
          return;
      }
    }
  }

  /** The connection ended. @throws MalformedResponse when that cuts the response short */
  end(): void {
    if (this.#state === 'close') this.#finish();
    else if (this.#state !== 'done' && this.#state !== 'stopped') {
      throw new MalformedResponse('the connection was closed before the answer was whole');
    }
  }

  #takeHead(piece: Buffer, from: number): number {
    const bytes = this.#rest ? Buffer.concat([this.#rest, piece]) : piece;
    const start = this.#rest ? 0 : from;
    const end = bytes.indexOf(END_OF_HEAD, start, 'latin1');
    if ((end < 0 ? bytes.length : end) - start > MAX_HEAD_BYTES) throw new MalformedResponse('its head is too large');
    if (end < 0) {
      this.#rest = start === 0 ? bytes : bytes.subarray(start);
      return piece.length;
    }
    this.#rest = undefined;
    this.#readHead(bytes.toString('latin1', start, end));
    return piece.length - (bytes.length - end - END_OF_HEAD.length);
  }

  #readHead(text: string): void {
    if (!isWellFormed(text)) throw new MalformedResponse('its head is malformed');
    const status = Number.parseInt(text.slice(9, 12), 10);
    if (status < 200) {
      this.#interim += 1;
      if (status === 101 || this.#interim > MAX_INTERIM)
        throw new MalformedResponse(`it answered with status ${status}`);
      return;
    }
    const fields = headFieldsOf(text);
    const isOld = text.charCodeAt(7) === 0x30;
    this.#isReusable = !(isOld || closes(fields.connection));
    this.#keepAlive = fields.keepAlive;
    this.#state = this.#framing(status, fields, isOld);
    this.sink.onHead({ status, contentType: fields.contentType, retryAfter: fields.retryAfter });
    if (this.#state === 'length' && this.#left === 0) this.#finish();
  }

  #framing(status: number, { contentLength, transferEncoding }: HeadFields, isOld: boolean): State {
    this.#left = 0;
    if (transferEncoding !== undefined) {
      if (contentLength !== undefined || isOld || transferEncoding.toLowerCase() !== 'chunked') {
        throw new MalformedResponse('its length is told in two ways, or in one that is unknown');
      }
      if (status !== 204 && status !== 304) return 'chunk size';
    }
    if (contentLength !== undefined && !LENGTH.test(contentLength))
      throw new MalformedResponse('its length is no number');
    if (status === 204 || status === 304) return 'length';
    if (contentLength === undefined) {
      this.#isReusable = false;
      return 'close';
    }
    this.#left = Number(contentLength);
    return 'length';
  }

  #takeCounted(piece: Buffer, from: number): number {
    const to = Math.min(piece.length, from + this.#left);
    this.#left -= to - from;
    const isWhole = this.#left === 0;
    this.sink.onBody(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
    if (isWhole && this.#state === 'length') this.#finish();
    else if (isWhole && this.#state === 'chunk') this.#state = 'chunk end';
    return to;
  }

  #takeLine(piece: Buffer, from: number): number {
    const bytes = this.#rest ? Buffer.concat([this.#rest, piece]) : piece;
    const start = this.#rest ? 0 : from;
    const end = bytes.indexOf('\r\n', start, 'latin1');
    if ((end < 0 ? bytes.length : end) - start > MAX_LINE_BYTES)
      throw new MalformedResponse('a line of it is too long');
    if (end < 0) {
      this.#rest = start === 0 ? bytes : bytes.subarray(start);
      return piece.length;
    }
    this.#rest = undefined;
    this.#readLine(bytes.toString('latin1', start, end));
    return piece.length - (bytes.length - end - 2);
  }

  #readLine(line: string): void {
    if (this.#state === 'chunk end') {
      if (line !== '') throw new MalformedResponse('a chunk of it is longer than it says');
      this.#state = 'chunk size';
    } else if (this.#state === 'trailers') {
      this.#trailerBytes += line.length + 2;
      if (this.#trailerBytes > MAX_HEAD_BYTES) throw new MalformedResponse('its trailers are too large');
      if (line === '') this.#finish();
    } else {
      const size = CHUNK_SIZE.exec(line)?.[1];
      if (size === undefined) throw new MalformedResponse('the size of a chunk of it is no number');
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    }
  }

  #finish(): void {
    this.#state = 'done';
    this.sink.onEnd();
  }
}
