import { HASH_BYTES, nodeHash } from './hash.ts';

/** What an inclusion proof claims: that this leaf is the one at `leafIndex` of the tree with this root. */
export interface InclusionProof {
  leafIndex: number;
  treeSize: number;
  leafHash: Uint8Array;
  /** Siblings, nearest to the leaf first. */
  hashes: readonly Uint8Array[];
  rootHash: Uint8Array;
}

/** What a consistency proof claims: that the first tree is the beginning of the second. */
export interface ConsistencyProof {
  size1: number;
  size2: number;
  root1: Uint8Array;
  root2: Uint8Array;
  hashes: readonly Uint8Array[];
}

/** Whether the proof holds (RFC 9162 2.1.3.2). A hash that is not 32 bytes, or a number that is not whole, is refused. */
export function verifyInclusion({ leafIndex, treeSize, leafHash, hashes, rootHash }: InclusionProof): boolean {
  if (!areHashes([leafHash, rootHash, ...hashes]) || !areCounts(leafIndex, treeSize) || leafIndex >= treeSize)
    return false;
  let [at, last] = [leafIndex, treeSize - 1];
  let hash = leafHash;
  for (const sibling of hashes) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      // At the right edge a node without a sibling goes up unchanged.
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(hash, rootHash);
}

/** Whether the proof holds (RFC 9162 2.1.4.2). From size 0 nothing can be shown: refused. */
export function verifyConsistency({ size1, size2, root1, root2, hashes }: ConsistencyProof): boolean {
  if (!areCounts(size1, size2) || size1 < 1 || size1 > size2) return false;
  // Nothing is hashed here: equal trees have equal roots and need no proof.
  if (size1 === size2) return hashes.length === 0 && equal(root1, root2);
  if (!areHashes([root1, root2, ...hashes])) return false;
  let [at, last] = [size1 - 1, size2 - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  // A first tree that is perfect is its own starting node and is left out of the proof.
  const [start, ...rest] = at === 0 ? [root1, ...hashes] : hashes;
  if (!start) return false;
  let [first, second] = [start, start];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [first, second] = [nodeHash(sibling, first), nodeHash(sibling, second)];
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      second = nodeHash(second, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(first, root1) && equal(second, root2);
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

function areCounts(...numbers: number[]): boolean {
  return numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
