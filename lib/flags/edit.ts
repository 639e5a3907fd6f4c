import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { FleetError } from '../errors.ts';
import type { FlagName } from './catalogue.ts';
import { type FlagRules, readFlagsFile } from './file.ts';
import { isLeftBehind, type Journal, journalOf, LEFT, OWNER } from './journal.ts';
import type { FlagRule } from './rule.ts';

/**
 * One change of the flags file at a time, over all processes: a journal of it is made beside the file, which nobody else can do
 * meanwhile, and the new file takes its place by a rename. Who is killed in between leaves the journal: `FlagsEdit.leftBehind`.
 */
export class FlagsEdit {
  /** What the file says; it stays so until `commit` or `discard`. */
  readonly rules: FlagRules;
  #flags: FlagRules;
  #entry: unknown;
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
      this.#flags = this.rules;
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  set(name: FlagName, rule: FlagRule): void {
    this.#flags = { ...this.rules, [name]: rule };
  }

  /** Durably says what is about to be done, before anybody is told of it. @param entry that tells of it */
  prepare(entry: unknown): void {
    this.#entry = entry;
    this.#write({ flags: this.#flags, by: OWNER, entry });
  }

  /** Leaves what was prepared to be finished as if this process had ended: `leftBehind` gives it, here and elsewhere. */
  leave(): void {
    this.#write({ flags: this.#flags, by: { ...OWNER, start: LEFT }, entry: this.#entry });
    closeSync(this.#fd);
  }

  commit(): void {
    put(this.file, this.#flags);
    this.discard();
  }

  discard(): void {
    rmSync(this.#next, { force: true });
    closeSync(this.#fd);
  }

  #write(journal: Journal): void {
    ftruncateSync(this.#fd);
    writeSync(this.#fd, JSON.stringify(journal), 0);
    fsyncSync(this.#fd);
  }

  #begin(nowMs: number): number {
    try {
      const fd = openSync(this.#next, 'wx', 0o600);
      writeSync(fd, JSON.stringify({ by: OWNER }), 0);
      return fd;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // What was prepared is to be finished, by whoever can tell of it.
      if (isLeftBehind(this.#next, nowMs) && !journalOf(this.#next)?.entry) rmSync(this.#next, { force: true });
      throw new FleetError('CONFLICT', 'another change of the flags is under way: try again', { field: ['name'] });
    }
  }
}

/** A change that its process was killed in. */
export interface LeftBehind {
  entry: unknown;
  /** Lets it take effect. */
  finish(): void;
}

/** The change of a process that ended in the midst of it, once what tells of it was prepared; undefined when there is none. */
export function leftBehind(file: string, nowMs: number): LeftBehind | undefined {
  const next = `${file}.next`;
  const { flags, entry } = journalOf(next) ?? {};
  if (!flags || !entry || !isLeftBehind(next, nowMs)) return undefined;
  return {
    entry,
    finish() {
      // Somebody else may have been quicker.
      if (JSON.stringify(journalOf(next)?.entry) !== JSON.stringify(entry)) return;
      put(file, flags);
      rmSync(next, { force: true });
    },
  };
}

/** The file's new content, whole or not at all. */
function put(file: string, flags: FlagRules): void {
  const fresh = `${file}.new`;
  const fd = openSync(fresh, 'w', 0o600);
  writeSync(fd, `${JSON.stringify({ flags }, null, 2)}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(fresh, file);
}
