import { createHash } from 'node:crypto';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

const LEAF = Buffer.from([0]);
const INNER = Buffer.from([1]);

/** The root of a tree without leaves: SHA-256 of nothing (RFC 6962 2.1). */
export const EMPTY_ROOT = createHash('sha256').digest();

/** The hash of a leaf's bytes; its prefix keeps a leaf from being passed off as an inner node. */
export function leafHash(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(bytes).digest();
}

/** The hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(INNER).update(left).update(right).digest();
}
