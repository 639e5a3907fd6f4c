import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** How far a file was shipped, kept beside it. */
export interface Place {
  /** The file's number in its file system: it keeps it under another name. */
  inode: number;
  /** Bytes that are shipped. */
  offset: number;
  /** Hexadecimal, the last bytes before `offset`: a file that has others there is another one. */
  before: string;
  /** Bytes behind `offset` that were about to be sent: the same again after a kill, or they would be stored twice. */
  pending: number;
  /** Hexadecimal, SHA-256 of those bytes: where nothing is before them, they alone tell which file it was. */
  digest?: string;
}

/** Reads a place. @throws Error when the file is none of ours */
export function readPlace(file: string): Place | undefined {
  if (!existsSync(file)) return undefined;
  const place = JSON.parse(readFileSync(file, 'utf8')) as Partial<Place>;
  const { inode, offset, before, pending, digest = '' } = place;
  if (
    ![inode, offset, pending].every(Number.isSafeInteger) ||
    typeof before !== 'string' ||
    typeof digest !== 'string'
  ) {
    throw new Error(`${file} is not where a shipment stands: remove it to begin anew`);
  }
  return place as Place;
}

/** Keeps a place; after a loss of power there is the old one or the new one. */
export function keepPlace(file: string, place: Place): void {
  const fd = openSync(`${file}.new`, 'w', 0o600);
  writeSync(fd, JSON.stringify(place));
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${file}.new`, file);
}
