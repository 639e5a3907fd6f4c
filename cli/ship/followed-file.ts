import { closeSync, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { Place } from './place.ts';

const CHUNK_BYTES = 1024 * 1024;
const BEFORE_BYTES = 256;

/** Lines that are to be sent together. */
export interface Chunk {
  bytes: Buffer;
  /** Where it begins, and how long it is. */
  place: Place;
}

/**
 * A file that is written to, and renamed or emptied by whoever rotates it. What a rotation leaves behind is read to its end
 * before the new file: under its new name after a rename, in its copy after an emptying.
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
      if (bytes.length) return { bytes, place: { ...this.#place, pending: bytes.length } };
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
    const left = offset > 0 ? this.#findLeft(current?.inode) : undefined;
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
    const [folder, name] = [path.dirname(this.file), path.basename(this.file)];
    const beside = readdirSync(folder).filter((each) => each !== name && each.startsWith(`${name}.`));
    for (const each of beside.sort()) {
      const found = this.#try(path.join(folder, each));
      if (!found) continue;
      if (found.inode !== except && this.#isSame(found.fd)) return found.fd;
      closeSync(found.fd);
    }
    return undefined;
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

  /** Whether a file has before the place what was shipped there. */
  #isSame(fd: number): boolean {
    const { offset, before, pending } = this.#place;
    const expected = Buffer.from(before, 'hex');
    if (fstatSync(fd).size < offset + pending) return false;
    const found = Buffer.alloc(expected.length);
    return readSync(fd, found, 0, found.length, offset - found.length) === found.length && found.equals(expected);
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
      this.close();
      this.#isLeft = false;
      this.#begin(0);
      return true;
    }
    if (!this.#isSame(fd)) {
      // Emptied: its copy has what was not read of it.
      this.close();
      return true;
    }
    const current = this.#statsOf(this.file);
    // Whoever writes goes on in the renamed file until something is in the new one.
    if (!current || current.ino === this.#place.inode || current.size === 0) return false;
    this.#isLeft = true;
    return true;
  }

  #begin(inode: number): void {
    this.#place = { inode, offset: 0, before: '', pending: 0 };
  }

  #statsOf(file: string): Stats | undefined {
    return statSync(file, { throwIfNoEntry: false });
  }
}
