import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { LogSink } from './log.ts';

const MAX_BYTES = 10_000_000;
const KEPT_FILES = 10;

/** The numbered files of one process, oldest first: `router.000001.jsonl`, … */
export function logFiles(folder: string, service: string): string[] {
  if (!existsSync(folder)) return [];
  const name = new RegExp(`^${service}\\.\\d{6}\\.jsonl$`);
  return readdirSync(folder)
    .filter((file) => name.test(file))
    .sort()
    .map((file) => path.join(folder, file));
}

/** Writes lines into numbered files and keeps the last ten of 10 MB. A line is in the file when `write` returns. */
export class RotatingFile implements LogSink {
  #fd: number;
  #bytes: number;
  #number: number;

  constructor(
    private readonly folder: string,
    private readonly service: string,
    private readonly maxBytes = MAX_BYTES,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#number = Number(
      logFiles(folder, service)
        .at(-1)
        ?.match(/(\d{6})\.jsonl$/)?.[1] ?? 1,
    );
    this.#fd = this.#open();
    this.#bytes = fstatSync(this.#fd).size;
  }

  write(line: string): void {
    if (this.#bytes > this.maxBytes) this.#rotate();
    this.#bytes += writeSync(this.#fd, `${line}\n`);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    closeSync(this.#fd);
    this.#number += 1;
    this.#fd = this.#open();
    this.#bytes = 0;
    for (const old of logFiles(this.folder, this.service).slice(0, -KEPT_FILES)) rmSync(old, { force: true });
  }

  #open(): number {
    const name = `${this.service}.${String(this.#number).padStart(6, '0')}.jsonl`;
    return openSync(path.join(this.folder, name), 'a', 0o600);
  }
}
