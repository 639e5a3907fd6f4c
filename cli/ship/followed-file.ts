import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { Place } from './place.ts';
import { rotatedOf } from './rotated.ts';

const CHUNK_BYTES = 1024 * 1024;
const BEFORE_BYTES = 256;

/** Lines that are to be sent together. */
export interface Chunk {
  bytes: Buffer;
  /** Where it begins, and how long it is. */
  place: Place;
}

/**
 * A file that is written to, and renamed or emptied by whoever rotates it. What rotations leave behind is read to its end
 * before the new file: under its new name after a rename, in its copy after an emptying, and also what was rotated as a whole
 * while nobody looked.
 */
export class FollowedFile {
  #fd: number | undefined;
  #place: Place;
  /** Whether nothing more will be written to the open file: its last line need not end. */
  #isLeft = false;

  constructor(
    private readonly file: string,
    place: Place | undefined,
  ) {
    this.#place = place ?? { inode: 0, offset: 0, before: '', pending: 0 };
  }

  /** The next lines; undefined while there are none. @param isEnd nothing more is waited for: the last line need not end */
  next(isEnd: boolean): Chunk | undefined {
    for (;;) {
      this.#fd ??= this.#open();
      if (this.#fd === undefined) return undefined;
      const bytes = this.#read(this.#fd, this.#isLeft || isEnd);
      if (bytes.length) return { bytes, place: { ...this.#place, pending: bytes.length, digest: digestOf(bytes) } };
      if (!this.#moveOn()) return undefined;
    }
  }

  /** These lines are stored. @returns where it stands now */
  done({ bytes }: Chunk): Place {
    const before = Buffer.concat([Buffer.from(this.#place.before, 'hex'), bytes]).subarray(-BEFORE_BYTES);
    const { inode, offset } = this.#place;
    this.#place = { inode, offset: offset + bytes.length, before: before.toString('hex'), pending: 0 };
    return this.#place;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Opens what the place speaks of, wherever it is by now; else the file from its beginning. */
  #open(): number | undefined {
    const { inode, offset } = this.#place;
    const current = this.#try(this.file);
    if (inode === 0 || (current && current.inode === inode && this.#isSame(current.fd))) {
      if (current && inode === 0) this.#begin(current.inode);
      return current?.fd;
    }
    const isKnown = offset > 0 || this.#place.digest !== undefined;
    const left = isKnown ? this.#findLeft(current?.inode) : undefined;
    if (left !== undefined) {
      if (current) closeSync(current.fd);
      this.#isLeft = true;
      return left;
    }
    if (current) this.#begin(current.inode);
    return current?.fd;
  }

  /** A file beside this one that has what was shipped before the place: the one that was renamed, or a copy of it. */
  #findLeft(except: number | undefined): number | undefined {
    for (const { path } of rotatedOf(this.file)) {
      const found = this.#try(path);
      if (!found) continue;
      if (found.inode !== except && this.#isSame(found.fd)) return found.fd;
      closeSync(found.fd);
    }
    return undefined;
  }

  /** The file that was rotated next after the open one; undefined when that was the last. */
  #findNext(fd: number): { fd: number; inode: number } | undefined {
    const open = fstatSync(fd);
    const current = statSync(this.file, { throwIfNoEntry: false });
    const all = rotatedOf(this.file).filter((each) => each.inode !== current?.ino);
    const at = all.findIndex(({ inode }) => inode === open.ino);
    const next = all.slice(at + 1).find(({ isNumbered, atMs }) => isNumbered && atMs >= open.mtimeMs);
    return next && this.#try(next.path);
  }

  #try(file: string): { fd: number; inode: number } | undefined {
    try {
      const fd = openSync(file, 'r');
      const stats = fstatSync(fd);
      if (stats.isFile()) return { fd, inode: stats.ino };
      closeSync(fd);
    } catch (error) {
      // Between the renaming and the new file there is none.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return undefined;
  }

  /** Whether a file has before the place what was shipped there, and behind it what was about to be. */
  #isSame(fd: number): boolean {
    const { offset, before, pending, digest } = this.#place;
    const expected = Buffer.from(before, 'hex');
    if (fstatSync(fd).size < offset + pending) return false;
    const found = Buffer.alloc(expected.length);
    if (readSync(fd, found, 0, found.length, offset - found.length) !== found.length) return false;
    if (!found.equals(expected)) return false;
    if (!pending || digest === undefined) return true;
    const lines = Buffer.alloc(pending);
    return readSync(fd, lines, 0, pending, offset) === pending && digestOf(lines) === digest;
  }

  #read(fd: number, isWhole: boolean): Buffer {
    const { offset, pending } = this.#place;
    if (!this.#isSame(fd)) return Buffer.alloc(0);
    const chunk = Buffer.alloc(pending || CHUNK_BYTES);
    const read = chunk.subarray(0, readSync(fd, chunk, 0, chunk.length, offset));
    if (pending) return read;
    const lines = read.lastIndexOf(0x0a) + 1;
    // A line longer than a chunk would be waited for for ever: what there is of it goes as it is.
    return read.subarray(0, lines || (isWhole || read.length === CHUNK_BYTES ? read.length : 0));
  }

  /** Nothing more to read here. @returns whether there may be elsewhere */
  #moveOn(): boolean {
    const fd = this.#fd as number;
    if (this.#isLeft) {
      const next = this.#findNext(fd);
      this.close();
      this.#isLeft = next !== undefined;
      this.#fd = next?.fd;
      this.#begin(next?.inode ?? 0);
      return true;
    }
    if (!this.#isSame(fd)) {
      // Emptied: its copy has what was not read of it.
      this.close();
      return true;
    }
    const current = statSync(this.file, { throwIfNoEntry: false });
    // Whoever writes goes on in the renamed file until something is in the new one.
    if (!current || current.ino === this.#place.inode || current.size === 0) return false;
    this.#isLeft = true;
    return true;
  }

  #begin(inode: number): void {
    this.#place = { inode, offset: 0, before: '', pending: 0 };
  }
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
