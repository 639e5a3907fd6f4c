import { HASH_BYTES } from '../merkle/index.ts';

/** A checkpoint as it is put before a witness (C2SP tlog-witness, `add-checkpoint`). */
export interface AddCheckpoint {
  /** Leaves that the witness is taken to have seen. */
  oldSize: number;
  /** The consistency proof from there to the checkpoint. */
  hashes: Buffer[];
  /** The checkpoint, a signed note. */
  note: string;
}

/** How a witness tells which size it expects. */
export const SIZE_TYPE = 'text/x.tlog.size';

const HEAD = /^old (0|[1-9]\d{0,15})\n((?:[A-Za-z0-9+/]{43}=\n){0,63})\n/;

export function addCheckpointText({ oldSize, hashes, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${hashes.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${note}`;
}

/** Reads the body of a request; undefined when it is none. */
export function readAddCheckpoint(text: string): AddCheckpoint | undefined {
  const [head, size, lines = ''] = HEAD.exec(text) ?? [];
  if (head === undefined || !Number.isSafeInteger(Number(size))) return undefined;
  const hashes = lines
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'base64'));
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) return undefined;
  return { oldSize: Number(size), hashes, note: text.slice(head.length) };
}
