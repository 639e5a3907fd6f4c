import { assert } from '../errors.ts';
import { EMPTY_ROOT, nodeHash } from './hash.ts';

/** A perfect subtree: it covers the leaves from `index · 2^level` up to `(index + 1) · 2^level`, exclusive. */
export interface Coordinate {
  level: number;
  index: number;
}

/** A perfect subtree with its hash. Once written it never changes: the tree only grows. */
export interface TreeNode extends Coordinate {
  hash: Buffer;
}

/** The largest power of two that is at most `n`. Shifts would end at 32 bits. */
function largestPowerWithin(n: number): number {
  let power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
}

/**
 * The perfect subtrees that make up the leaves `from` up to `to`, exclusive; left to right.
 * @param from divisible by the largest power of two in the range, as every range of RFC 6962's recursion is
 */
export function cover(from: number, to: number): Coordinate[] {
  const parts: Coordinate[] = [];
  for (let at = from; at < to; ) {
    const width = largestPowerWithin(to - at);
    parts.push({ level: Math.log2(width), index: at / width });
    at += width;
  }
  return parts;
}

/** The hash of neighbouring perfect subtrees, as `cover` lists them; the empty root of none. */
export function fold(hashes: readonly Buffer[]): Buffer {
  if (!hashes.length) return EMPTY_ROOT;
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * The siblings on the way from a leaf to the root (RFC 6962 2.1.1), nearest first; each as the perfect subtrees to fold.
 * @param index the leaf's, from 0; @param size of the tree, above `index`
 */
export function inclusionPath(index: number, size: number): Coordinate[][] {
  assert(Number.isSafeInteger(index) && index >= 0 && index < size, 'a proof is of a leaf that is in the tree');
  const path: Coordinate[][] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.unshift(cover(middle, to));
      to = middle;
    } else {
      path.unshift(cover(from, middle));
      from = middle;
    }
  }
  return path;
}

/**
 * The hashes that show a tree of `from` leaves to be the beginning of one of `to` (RFC 6962 2.1.2); each as the perfect
 * subtrees to fold.
 */
export function consistencyPath(from: number, to: number): Coordinate[][] {
  assert(from >= 1 && from <= to, 'consistency is shown from a tree with leaves to one at least as large');
  const path: Coordinate[][] = [];
  let [start, end, known] = [0, to, true];
  while (from < end) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      path.unshift(cover(middle, end));
      end = middle;
    } else {
      path.unshift(cover(start, middle));
      start = middle;
      known = false;
    }
  }
  return known ? path : [cover(start, end), ...path];
}

/** Where RFC 6962 splits so many leaves: the largest power of two below. */
function splitOf(count: number): number {
  return largestPowerWithin(count - 1);
}

/** A tree as it grows at its right edge: only the perfect subtrees that are still without a parent are kept. */
export class GrowingTree {
  readonly #edge: TreeNode[];
  #size: number;

  /** @param edge hashes of `cover(0, size)` */
  constructor(size: number, edge: readonly Buffer[]) {
    const coordinates = cover(0, size);
    assert(coordinates.length === edge.length, 'the right edge of a tree has one hash for each bit of its size');
    this.#size = size;
    this.#edge = coordinates.map((at, i) => ({ ...at, hash: edge[i] as Buffer }));
  }

  get size(): number {
    return this.#size;
  }

  get root(): Buffer {
    return fold(this.#edge.map(({ hash }) => hash));
  }

  /** Adds a leaf by its hash. @returns the inner perfect subtrees that became whole by it, lowest first */
  append(hash: Buffer): TreeNode[] {
    const whole: TreeNode[] = [];
    let node: TreeNode = { level: 0, index: this.#size, hash };
    for (let left = this.#edge.at(-1); left?.level === node.level; left = this.#edge.at(-1)) {
      node = { level: node.level + 1, index: left.index / 2, hash: nodeHash(left.hash, node.hash) };
      whole.push(node);
      this.#edge.pop();
    }
    this.#edge.push(node);
    this.#size += 1;
    return whole;
  }
}
