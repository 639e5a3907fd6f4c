import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { FleetError } from '../errors.ts';
import type { FlagName } from './catalogue.ts';
import { type FlagRules, readFlagsFile } from './file.ts';
import type { FlagRule } from './rule.ts';

/** A change that was begun so long ago was left behind by a process that ended, milliseconds. */
const ABANDONED_MS = 60_000;

/**
 * One change of the flags file at a time, over all processes: the new file is made beside it, which nobody else can do
 * meanwhile, and takes its place by a rename.
 */
export class FlagsEdit {
  /** What the file says; it stays so until `commit` or `discard`. */
  readonly rules: FlagRules;
  readonly #next: string;
  readonly #fd: number;

  /** @throws FleetError CONFLICT while somebody else changes it */
  constructor(
    private readonly file: string,
    nowMs: number,
  ) {
    this.#next = `${file}.next`;
    this.#fd = this.#begin(nowMs);
    try {
      this.rules = readFlagsFile(file);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Writes the file that `commit` puts in place. */
  set(name: FlagName, rule: FlagRule): void {
    ftruncateSync(this.#fd);
    writeSync(this.#fd, `${JSON.stringify({ flags: { ...this.rules, [name]: rule } }, null, 2)}\n`, 0);
    fsyncSync(this.#fd);
  }

  commit(): void {
    renameSync(this.#next, this.file);
    closeSync(this.#fd);
  }

  discard(): void {
    rmSync(this.#next, { force: true });
    closeSync(this.#fd);
  }

  #begin(nowMs: number): number {
    try {
      return openSync(this.#next, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const begun = statSync(this.#next, { throwIfNoEntry: false });
      if (begun && nowMs - begun.mtimeMs > ABANDONED_MS) rmSync(this.#next, { force: true });
      throw new FleetError('CONFLICT', 'another change of the flags is under way: try again', { field: ['name'] });
    }
  }
}
