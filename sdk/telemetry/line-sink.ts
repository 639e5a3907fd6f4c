/** Where finished lines go. */
export interface LineSink {
  /** @param line one JSON object, without a newline; never throws, never waits */
  write(line: string): void;
}

/** What a sink needs of a Node stream: process.stdout, a file, a socket. */
export interface LineStream {
  /** @returns whether more may be written at once */
  write(text: string): boolean;
  /** Tells when there is room again. */
  once(event: 'drain', listener: () => void): unknown;
  /** Tells when nobody reads any longer. */
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const MAX_WAITING = 4 << 20;

/**
 * Lines into a stream. While its reader is slow they wait, up to a bound; what comes beyond it is dropped and counted, and the
 * count is told once there is room: a program must not stop, nor grow, because nobody reads its log.
 */
export class StreamSink implements LineSink {
  #waiting: string[] = [];
  #waitingLength = 0;
  #isFull = false;
  #isBroken = false;
  #dropped = 0;
  #untold = 0;

  /**
   * @param told the line that tells how many were dropped
   * @param maxWaiting characters that wait at most
   */
  constructor(
    private readonly stream: LineStream,
    private readonly told: (dropped: number) => string,
    private readonly maxWaiting = MAX_WAITING,
  ) {
    // A pipe whose reader is gone: without a listener that would end the program.
    stream.on('error', () => {
      this.#isBroken = true;
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
      this.#waitingLength = 0;
    });
  }

  /** Lines that were not written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes a line, or lets it wait; never throws. */
  write(line: string): void {
    if (this.#isBroken) this.#dropped += 1;
    else if (!this.#isFull) this.#send(line);
    else if (this.#waitingLength + line.length > this.maxWaiting) {
      this.#dropped += 1;
      this.#untold += 1;
    } else this.#wait(line);
  }

  #send(line: string): void {
    try {
      if (this.stream.write(`${line}\n`)) return;
    } catch {
      this.#isBroken = true;
      this.#dropped += 1;
      return;
    }
    this.#isFull = true;
    this.stream.once('drain', () => this.#drain());
  }

  #drain(): void {
    this.#isFull = false;
    // Not through `write`: what waited once is within the bound, and the count must not be dropped itself.
    if (this.#untold) this.#wait(this.told(this.#untold));
    this.#untold = 0;
    while (this.#waiting.length && !this.#isFull && !this.#isBroken) {
      const line = this.#waiting.shift() as string;
      this.#waitingLength -= line.length;
      this.#send(line);
    }
  }

  #wait(line: string): void {
    this.#waiting.push(line);
    this.#waitingLength += line.length;
  }
}
