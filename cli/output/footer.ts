import type { Sink } from './printer.ts';

const NARROWEST = 20;

/** Lines that scroll, and a block beneath them that stays: on a terminal only. */
export class Footer {
  #height = 0;

  /** @param block the block for a width */
  constructor(
    private readonly sink: Sink,
    private readonly block: (width: number) => readonly string[],
  ) {}

  /** Writes lines above the block, and the block as it is now. */
  write(lines: readonly string[]): void {
    // The last column stays empty: some terminals wrap when it is written to.
    const block = this.block(Math.max(NARROWEST, (this.sink.columns ?? 80) - 1));
    const text = [...lines, ...block].map((line) => `${line}\n`).join('');
    this.sink.write(`${this.#erasing()}${text}`);
    this.#height = block.length;
  }

  /** Takes the block away. */
  clear(): void {
    this.sink.write(this.#erasing());
    this.#height = 0;
  }

  #erasing(): string {
    return this.#height ? `\u001b[${this.#height}A\r\u001b[J` : '';
  }
}
