import { HASH_BYTES } from '../merkle/index.ts';

/**
 * The lines of an exported audit log (docs/audit.md, Export): a header, each entry with its hash and its canonical bytes as they
 * are, and the checkpoint over all of them. Every byte of them is determined, so that none can be altered unseen.
 */

export const FORMAT = 'fleetgraph-audit-export/1';
/** Where the key stands that the checkpoint is signed with. */
export const HEADER_START = `{"format":"${FORMAT}","key":"`;
export const CHECKPOINT_START = '{"checkpoint":"';
/** Between an entry's hash and its bytes. */
export const LEAF_START = '","leaf":';
/** Characters of a hash in base64. */
export const HASH_CHARACTERS = 4 * Math.ceil(HASH_BYTES / 3);

export function headerLine(key: string): string {
  return `${HEADER_START}${key}"}\n`;
}

/** An entry's line up to its hash. @param index its leaf's place, from 0 */
export function entryStart(index: number): string {
  return `{"index":${index},"hash":"`;
}

/** @param leaf null once retention removed its bytes: then only the hash is told */
export function entryLine(index: number, hash: Buffer, leaf: Buffer | null): Buffer {
  const start = `${entryStart(index)}${hash.toString('base64')}`;
  if (!leaf) return Buffer.from(`${start}"}\n`);
  return Buffer.concat([Buffer.from(start), Buffer.from(LEAF_START), leaf, Buffer.from('}\n')]);
}

export function checkpointLine(signedNote: string): string {
  return `${JSON.stringify({ checkpoint: signedNote })}\n`;
}
