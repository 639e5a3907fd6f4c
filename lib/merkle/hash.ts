import { createHash, hash } from 'node:crypto';

/** Bytes of every hash in the tree (SHA-256). */
export const HASH_BYTES = 32;

const LEAF = 0;
const INNER = 1;
/** Up to here a copy behind the prefix costs less than a hash that is fed twice, bytes. */
const COPIED_BYTES = 65_536;
// What is hashed is put together in the same places each time: nothing waits in between.
const PREFIXED = Buffer.alloc(1 + COPIED_BYTES, LEAF);
const PAIR = Buffer.alloc(1 + 2 * HASH_BYTES, INNER);

/** The root of a tree without leaves: SHA-256 of nothing (RFC 6962 2.1). */
export const EMPTY_ROOT = createHash('sha256').digest();

/** The hash of a leaf's bytes; its prefix keeps a leaf from being passed off as an inner node. */
export function leafHash(bytes: Uint8Array): Buffer {
  if (bytes.length > COPIED_BYTES)
    return createHash('sha256')
      .update(Buffer.from([LEAF]))
      .update(bytes)
      .digest();
  PREFIXED.set(bytes, 1);
  return sha256(PREFIXED.subarray(0, 1 + bytes.length));
}

/**
 * The hash of a leaf that stands in a larger buffer, without a copy: the byte before it is the prefix meanwhile.
 * @param from at least 1; @param to exclusive
 * @returns base64
 */
export function leafHashIn(buffer: Buffer, from: number, to: number): string {
  const before = buffer[from - 1] as number;
  buffer[from - 1] = LEAF;
  const found = hash('sha256', buffer.subarray(from - 1, to), 'base64');
  buffer[from - 1] = before;
  return found;
}

/** The hash of an inner node. @param left @param right 32 bytes each */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  PAIR.set(left, 1);
  PAIR.set(right, 1 + HASH_BYTES);
  return sha256(PAIR);
}

/** By way of a text: measured 0.5 µs for an inner node, where a buffer asked of the library takes 1.0. */
function sha256(bytes: Buffer): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}
