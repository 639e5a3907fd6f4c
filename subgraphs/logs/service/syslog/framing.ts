/** A stream that is no syslog, or has a message that is too long: what follows cannot be told apart. */
export class BrokenFrame extends Error {}

const LF = 0x0a;
const SPACE = 0x20;
/** Digits of a message's length. */
const MAX_DIGITS = 7;

/**
 * Parts a stream into messages (RFC 6587): a length and a space before each message, or a line feed behind it. Which of them
 * is seen at each message's first byte.
 */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);
  #fault: BrokenFrame | undefined;

  /** @param maxBytes of one message */
  constructor(private readonly maxBytes: number) {}

  /** The messages that are whole by now, and come before what is broken. */
  push(chunk: Buffer): Buffer[] {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
    const messages: Buffer[] = [];
    let at = 0;
    for (;;) {
      const found = this.#next(at);
      if (!found) break;
      if (found.end > found.start) messages.push(this.#rest.subarray(found.start, found.end));
      at = found.next;
    }
    this.#rest = this.#rest.subarray(at);
    if (this.#rest.length > this.maxBytes + MAX_DIGITS + 1) this.#break('a message is too long');
    return messages;
  }

  /** @throws BrokenFrame once something is */
  check(): void {
    if (this.#fault) throw this.#fault;
  }

  /** What came behind the last line feed: the end of the stream ends it too. */
  end(): Buffer[] {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length && !isDigit(rest[0]) ? [rest] : [];
  }

  #next(at: number): { start: number; end: number; next: number } | undefined {
    const rest = this.#rest;
    if (at >= rest.length) return undefined;
    if (!isDigit(rest[at])) {
      const end = rest.indexOf(LF, at);
      return end < 0 ? undefined : { start: at, end, next: end + 1 };
    }
    const space = rest.subarray(at, at + MAX_DIGITS + 1).indexOf(SPACE);
    if (space < 0) {
      if (rest.length - at > MAX_DIGITS) this.#break('a length is too long');
      return undefined;
    }
    const digits = rest.toString('latin1', at, at + space);
    const length = Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || length > this.maxBytes) {
      this.#break('a length is none, or too long');
      return undefined;
    }
    const start = at + space + 1;
    return start + length > rest.length ? undefined : { start, end: start + length, next: start + length };
  }

  /** What came whole before is given first. */
  #break(reason: string): void {
    this.#fault = new BrokenFrame(reason);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
