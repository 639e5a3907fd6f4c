import { HASH_BYTES } from '../merkle/index.ts';

/** What a log's checkpoint says (C2SP tlog-checkpoint): which log, how many leaves, and their root. */
export interface Checkpoint {
  origin: string;
  size: number;
  rootHash: Buffer;
}

/** The text that is signed. */
export function checkpointText({ origin, size, rootHash }: Checkpoint): string {
  return `${origin}\n${size}\n${rootHash.toString('base64')}\n`;
}

const TEXT = /^([^\n]+)\n(0|[1-9]\d*)\n([A-Za-z0-9+/]+={0,2})\n(?:[^\n]+\n)*$/;

/** Reads a checkpoint's text; undefined when it is none. Extension lines are allowed and not read. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, size, root = ''] = TEXT.exec(text) ?? [];
  const rootHash = Buffer.from(root, 'base64');
  if (origin === undefined || rootHash.length !== HASH_BYTES || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), rootHash };
}
