import { EMPTY_ROOT, leafHash, nodeHash } from '../../lib/merkle/index.ts';

/** The root of leaves by the definition of RFC 6962 2.1, word for word. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  if (!leaves.length) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(leaves[0] as Buffer);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
