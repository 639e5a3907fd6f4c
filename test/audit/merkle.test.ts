import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {
  type Coordinate,
  consistencyPath,
  cover,
  fold,
  GrowingTree,
  inclusionPath,
  leafHash,
  leafHashIn,
  verifyConsistency,
  verifyInclusion,
} from '../../lib/merkle/index.ts';
import { rootOf } from './definition.ts';

const FOLDER = path.join(__dirname, '../../../shared/data/rfc6962');
const vectors = existsSync(FOLDER) ? describe : describe.skip;
const base64 = (text: string | null) => Buffer.from(text ?? '', 'base64');
const hex = (text: string) => Buffer.from(text, 'hex');

function lines<T>(file: string): T[] {
  return readFileSync(path.join(FOLDER, file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** A tree of these leaves with the hash of each perfect subtree, as the house stores them. */
function grow(leaves: readonly Buffer[]) {
  const hashes = new Map<string, Buffer>();
  const tree = new GrowingTree(0, []);
  leaves.forEach((leaf, index) => {
    const hash = leafHash(leaf);
    hashes.set(`0 ${index}`, hash);
    for (const node of tree.append(hash)) hashes.set(`${node.level} ${node.index}`, node.hash);
  });
  const read = (parts: readonly Coordinate[]) =>
    fold(parts.map(({ level, index }) => hashes.get(`${level} ${index}`) as Buffer));
  return { tree, read };
}

vectors('the published vectors', () => {
  interface Inclusion {
    file: string;
    leafIdx: number;
    treeSize: number;
    root: string;
    leafHash: string;
    proof: string[] | null;
    wantErr: boolean;
  }
  interface Consistency {
    file: string;
    size1: number;
    size2: number;
    root1: string;
    root2: string;
    proof: string[] | null;
    wantErr: boolean;
  }

  test('inclusion: what holds is accepted, all else is refused', () => {
    const wrong = lines<Inclusion>('inclusion.ndjson').filter(
      ({ leafIdx, treeSize, root, leafHash: leaf, proof, wantErr }) => {
        const hashes = (proof ?? []).map(base64);
        return (
          verifyInclusion({ leafIndex: leafIdx, treeSize, leafHash: base64(leaf), hashes, rootHash: base64(root) }) ===
          wantErr
        );
      },
    );
    expect(wrong).toEqual([]);
  });

  test('consistency: what holds is accepted, all else is refused', () => {
    const wrong = lines<Consistency>('consistency.ndjson').filter(({ size1, size2, root1, root2, proof, wantErr }) => {
      const hashes = (proof ?? []).map(base64);
      return verifyConsistency({ size1, size2, root1: base64(root1), root2: base64(root2), hashes }) === wantErr;
    });
    expect(wrong).toEqual([]);
  });

  test('the standard eight leaves give the published roots and proofs', () => {
    const standard = JSON.parse(readFileSync(path.join(FOLDER, 'standard8.json'), 'utf8'));
    const leaves: Buffer[] = standard.leaves_hex.map(hex);
    for (let size = 0; size <= 8; size += 1) {
      expect(grow(leaves.slice(0, size)).tree.root.toString('hex')).toBe(standard.roots_by_size[size]);
    }
    const { read } = grow(leaves);
    for (const { index, size, proof } of standard.inclusion) {
      expect(inclusionPath(index, size).map((parts) => read(parts).toString('hex'))).toEqual(proof);
    }
    for (const { size1, size2, proof } of standard.consistency) {
      expect(consistencyPath(size1, size2).map((parts) => read(parts).toString('hex'))).toEqual(proof);
    }
  });

  test('roots of decimal leaves up to a hundred thousand', () => {
    const { roots } = JSON.parse(readFileSync(path.join(FOLDER, 'decimal-leaves-roots.json'), 'utf8')) as {
      roots: Record<string, string>;
    };
    const sizes = Object.keys(roots).map(Number);
    const tree = new GrowingTree(0, []);
    const seen: Record<string, string> = {};
    for (let index = 0; index < Math.min(Math.max(...sizes), 100_000); index += 1) {
      tree.append(leafHash(Buffer.from(String(index))));
      if (roots[index + 1]) seen[index + 1] = tree.root.toString('hex');
    }
    expect(Object.keys(seen).length).toBeGreaterThan(10);
    expect(seen).toEqual(Object.fromEntries(Object.entries(roots).filter(([size]) => Number(size) <= 100_000)));
  });
});

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));

test('a tree that grew in steps has the root of the definition', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 70 }), (before, more) => {
      const leaves = leavesOf(before + more);
      const { read } = grow(leaves);
      const resumed = new GrowingTree(
        before,
        cover(0, before).map((part) => read([part])),
      );
      for (const leaf of leaves.slice(before)) resumed.append(leafHash(leaf));
      expect(resumed.size).toBe(before + more);
      expect(resumed.root).toEqual(rootOf(leaves));
    }),
  );
});

test('every leaf of every size is proved, and no altered proof is accepted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), fc.nat(), (treeSize, anyIndex, bit) => {
      const leafIndex = anyIndex % treeSize;
      const leaves = leavesOf(treeSize);
      const { read, tree } = grow(leaves);
      const hashes = inclusionPath(leafIndex, treeSize).map(read);
      const proof = {
        leafIndex,
        treeSize,
        leafHash: leafHash(leaves[leafIndex] as Buffer),
        hashes,
        rootHash: tree.root,
      };
      expect(verifyInclusion(proof)).toBe(true);
      const all = [proof.leafHash, proof.rootHash, ...hashes];
      const damaged = all.map((hash, i) => (i === bit % all.length ? flip(hash, bit) : hash));
      const [leaf, root, ...rest] = damaged as [Buffer, Buffer, ...Buffer[]];
      expect(verifyInclusion({ ...proof, leafHash: leaf, rootHash: root, hashes: rest })).toBe(false);
      expect(verifyInclusion({ ...proof, hashes: [...hashes, tree.root] })).toBe(false);
    }),
  );
});

test('every smaller tree is shown to be the beginning of a larger one, and a forked one is not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }), fc.nat(), (a, b, at) => {
      const [size1, size2] = [Math.min(a, b), Math.max(a, b)];
      const leaves = leavesOf(size2);
      const { read, tree } = grow(leaves);
      const hashes = consistencyPath(size1, size2).map(read);
      const claim = { size1, size2, root1: rootOf(leaves.slice(0, size1)), root2: tree.root, hashes };
      expect(verifyConsistency(claim)).toBe(true);
      const forked = leaves.map((leaf, i) => (i === at % size1 ? Buffer.from('other') : leaf));
      expect(verifyConsistency({ ...claim, root1: rootOf(forked.slice(0, size1)) })).toBe(false);
      expect(verifyConsistency({ ...claim, root2: rootOf(forked) })).toBe(false);
    }),
  );
});

test('hashes that are not 32 bytes and numbers that are not whole are refused', () => {
  const short = Buffer.alloc(31);
  const hash = leafHash(Buffer.from('x'));
  const alone = { leafIndex: 0, treeSize: 1, leafHash: hash, hashes: [], rootHash: hash };
  expect(verifyInclusion(alone)).toBe(true);
  expect(verifyInclusion({ ...alone, leafHash: short, rootHash: short })).toBe(false);
  expect(verifyInclusion({ ...alone, leafIndex: 0.5 })).toBe(false);
  expect(verifyInclusion({ ...alone, leafIndex: -1 })).toBe(false);
  expect(verifyConsistency({ size1: 1, size2: 2, root1: short, root2: hash, hashes: [hash] })).toBe(false);
  expect(verifyConsistency({ size1: 3, size2: 5, root1: hash, root2: hash, hashes: [] })).toBe(false);
  expect(() => inclusionPath(3, 3)).toThrow('a leaf that is in the tree');
  expect(() => consistencyPath(0, 3)).toThrow('from a tree with leaves');
  expect(() => new GrowingTree(3, [])).toThrow('right edge');
});

test('a leaf has the same hash wherever it stands and however large it is, and its surroundings stay as they are', () => {
  for (const length of [0, 1, 55, 56, 64, 1_000, 65_536, 65_537, 200_000]) {
    const leaf = randomBytes(length);
    const around = Buffer.concat([Buffer.from('before'), leaf, Buffer.from('behind')]);
    const expected = createHash('sha256')
      .update(Buffer.from([0]))
      .update(leaf)
      .digest();
    expect([leafHash(leaf), leafHashIn(around, 6, 6 + length)]).toEqual([expected, expected.toString('base64')]);
    expect(around).toEqual(Buffer.concat([Buffer.from('before'), leaf, Buffer.from('behind')]));
  }
});

function flip(hash: Buffer, bit: number): Buffer {
  const copy = Buffer.from(hash);
  copy[bit % 32] = (copy[bit % 32] as number) ^ (1 << (bit % 8));
  return copy;
}
