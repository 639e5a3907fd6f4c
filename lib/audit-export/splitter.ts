const NEWLINE = 10;
/** An entry is at most two bodies of a request long; what is longer is no line of ours, bytes. */
const MAX_LINE_BYTES = 64_000_000;

/** Cuts chunks into lines; holds what has no end yet, which is bounded. */
export class Splitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** Bytes behind the last end of a line. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** @param told each line without its end, in a buffer that is not kept @returns false when a line is too long */
  push(chunk: Buffer, told: (line: Buffer) => void): boolean {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      told(this.#restBytes ? this.#whole(chunk.subarray(at, end)) : chunk.subarray(at, end));
      at = end + 1;
    }
    if (at < chunk.length) {
      this.#rest.push(chunk.subarray(at));
      this.#restBytes += chunk.length - at;
    }
    return this.#restBytes <= MAX_LINE_BYTES;
  }

  #whole(end: Buffer): Buffer {
    const line = Buffer.concat([...this.#rest, end]);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }
}
