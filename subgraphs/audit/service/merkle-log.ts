import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { assert } from '../../../lib/errors.ts';
import {
  type Coordinate,
  cover,
  EMPTY_ROOT,
  fold,
  GrowingTree,
  inclusionPath,
  verifyInclusion,
} from '../../../lib/merkle/index.ts';
import { checkpointText, type NoteSigner, signNote } from '../../../lib/signed-note/index.ts';
import type { AuditCheckpoint, AuditProof } from '../entity/index.ts';
import type { TreeState, TreeStore } from '../store/index.ts';

/** A leaf to be proved. */
export interface Leaf {
  /** Null once retention removed its bytes. */
  leaf: Buffer | null;
  leafHash: Buffer;
  /** From 0. */
  leafIndex: number;
}

/** The tree over all entries (RFC 6962): grows by whole batches, and signs each new root in the transaction that made it. */
export class MerkleLog {
  #signer: NoteSigner | undefined;

  constructor(
    private readonly store: TreeStore,
    private readonly clock: Clock,
  ) {}

  /** Takes up the log's key; makes key and empty tree at the first start. */
  async open(): Promise<void> {
    const { origin, privateKey } = (await this.store.key()) ?? (await this.#begin());
    this.#signer = { name: origin, privateKey: createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }) };
  }

  /**
   * Extends the tree by leaves that just got their positions.
   * @param first position of the first of them
   * @throws when what is stored is not the tree that was signed last: then nothing is placed and nothing signed
   */
  async extend(tx: Transaction, first: number, count: number): Promise<void> {
    const size = first - 1;
    const [signed, edge, leaves] = [
      await this.store.state(tx),
      await this.#hashesOf([cover(0, size)], tx),
      await this.store.leafHashes(tx, first, count),
    ];
    const tree = new GrowingTree(size, edge[0] as Buffer[]);
    assert(signed?.rootHash.equals(tree.root), `the tree of ${size} leaves is the one that was signed`);
    assert(leaves.length === count, 'every position has its leaf');
    const nodes = leaves.flatMap((leaf) => tree.append(leaf));
    await this.store.extend(tx, nodes, this.#sign(this.#signer as NoteSigner, tree.size, tree.root));
  }

  /** The newest signed state; undefined before the first start. */
  async checkpoint(): Promise<AuditCheckpoint | undefined> {
    const state = await this.store.state();
    if (!state || !this.#signer) return undefined;
    return {
      origin: this.#signer.name,
      size: String(state.size),
      rootHash: state.rootHash.toString('base64'),
      signedNote: state.signedNote,
      createdAt: state.signedAt,
    };
  }

  /** Proofs of placed entries against the newest checkpoint, with one read for all. */
  async prove(leaves: readonly Leaf[]): Promise<AuditProof[]> {
    const state = await this.store.state();
    assert(state, 'an entry that has its place is in a tree');
    const paths = leaves.map(({ leafIndex }) => inclusionPath(leafIndex, state.size));
    const siblings = await this.#hashesOf(paths.flat());
    let at = 0;
    return leaves.map((leaf, i) => {
      const count = (paths[i] as Coordinate[][]).length;
      const hashes = siblings.slice(at, at + count).map(fold);
      at += count;
      return proofOf(leaf, hashes, state);
    });
  }

  /** The hashes of each list of perfect subtrees. */
  async #hashesOf(lists: readonly Coordinate[][], tx?: Transaction): Promise<Buffer[][]> {
    const name = ({ level, index }: Coordinate) => `${level}/${index}`;
    const wanted = new Map(lists.flat().map((part) => [name(part), part]));
    const stored = wanted.size ? await this.store.nodes([...wanted.values()], tx) : [];
    const hashes = new Map(stored.map((node) => [name(node), node.hash]));
    return lists.map((list) =>
      list.map((part) => {
        const hash = hashes.get(name(part));
        assert(hash, `the perfect subtree ${name(part)} is stored`);
        return hash;
      }),
    );
  }

  #begin() {
    const { privateKey } = generateKeyPairSync('ed25519');
    const origin = `fleetgraph.local/audit/${this.clock.uuid()}`;
    const key = { origin, privateKey: pkcs8(privateKey) };
    return this.store.begin(key, this.#sign({ name: origin, privateKey }, 0, EMPTY_ROOT));
  }

  #sign(signer: NoteSigner, size: number, rootHash: Buffer): Omit<TreeState, 'epoch' | 'size'> {
    const signedNote = signNote(checkpointText({ origin: signer.name, size, rootHash }), signer);
    return { rootHash, signedNote, signedAt: new Date(this.clock.nowMs()) };
  }
}

function pkcs8(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' });
}

/** @throws when it does not hold: what is stored was altered, and no proof of it is given out */
function proofOf({ leaf, leafHash, leafIndex }: Leaf, hashes: Buffer[], { size, rootHash }: TreeState): AuditProof {
  assert(
    verifyInclusion({ leafIndex, treeSize: size, leafHash, hashes, rootHash }),
    `the stored proof of leaf ${leafIndex} holds`,
  );
  return {
    leafIndex: String(leafIndex),
    treeSize: String(size),
    leaf: leaf?.toString('base64') ?? null,
    leafHash: leafHash.toString('base64'),
    hashes: hashes.map((hash) => hash.toString('base64')),
    rootHash: rootHash.toString('base64'),
  };
}
