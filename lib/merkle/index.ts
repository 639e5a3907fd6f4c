export { EMPTY_ROOT, HASH_BYTES, leafHash, leafHashIn, nodeHash } from './hash.ts';
export { type Coordinate, consistencyPath, cover, fold, GrowingTree, inclusionPath, type TreeNode } from './tree.ts';
export { type ConsistencyProof, type InclusionProof, verifyConsistency, verifyInclusion } from './verify.ts';
