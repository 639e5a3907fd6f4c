import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { asFleetError, assert, type FleetError } from '../../../lib/errors.ts';
import {
  type Coordinate,
  consistencyPath,
  cover,
  EMPTY_ROOT,
  fold,
  GrowingTree,
  inclusionPath,
  verifyConsistency,
  verifyInclusion,
} from '../../../lib/merkle/index.ts';
import { checkpointText, type NoteSigner, signNote, verifierKey } from '../../../lib/signed-note/index.ts';
import type { AuditCheckpoint, AuditProof } from '../entity/index.ts';
import type { StoredKey, TreeState, TreeStore, Witness } from '../store/index.ts';
import { forked, requireSizes, witnessed } from './descent.ts';

/** A leaf to be proved. */
export interface Leaf {
  /** Null once retention removed its bytes. */
  leaf: Buffer | null;
  leafHash: Buffer;
  /** From 0. */
  leafIndex: number;
}

/** A signed state that may be shown to anybody, and the key to verify it with. */
export interface GivenState extends TreeState {
  origin: string;
  /** `name+id+key`. */
  key: string;
}

/**
 * The tree over all entries (RFC 6962): grows by whole batches, and signs each new root in the transaction that made it. Nothing
 * signed is given out before the witness knows of it, and nothing is signed that does not go on from what the witness knows: so
 * no two checkpoints of one log contradict each other, whatever backup its database was put back from (docs/decisions/0009).
 */
export class MerkleLog {
  #signer: NoteSigner | undefined;
  /** What the witness was last found to agree with. */
  #seen: GivenState | undefined;
  #asking: Promise<GivenState> | undefined;

  constructor(
    private readonly store: TreeStore,
    private readonly witness: Witness,
    private readonly clock: Clock,
  ) {}

  /** Takes up the log's key; makes key and empty tree at the first start. */
  async open(): Promise<void> {
    this.#signer = signerOf((await this.store.key()) ?? (await this.#begin()));
  }

  /** Why nothing may be signed; undefined when it may. */
  async refusal(): Promise<FleetError | undefined> {
    try {
      await this.given();
      return undefined;
    } catch (error) {
      const refused = asFleetError(error);
      if (refused?.code === 'CONFLICT') return refused;
      throw error;
    }
  }

  /**
   * Goes on with the tree as it is under another name and key: what the old one signed is contradicted by nobody, for it signs
   * nothing more.
   * @returns both names; undefined when another process did it
   */
  async renew(): Promise<{ from: string; to: string } | undefined> {
    const from = (this.#signer as NoteSigner).name;
    const { privateKey } = generateKeyPairSync('ed25519');
    const key = { origin: this.#newOrigin(), privateKey: pkcs8(privateKey) };
    const isOurs = await this.store.alone(async (tx) => {
      const [known, state] = [await this.store.key(tx), await this.store.state(tx)];
      if (known?.origin !== from || !state) return false;
      await this.store.renew(tx, key, this.#sign(signerOf(key), state.size, state.rootHash));
      return true;
    });
    await this.open();
    return isOurs ? { from, to: key.origin } : undefined;
  }

  /**
   * Extends the tree by leaves that just got their positions.
   * @param first position of the first of them
   * @throws when what is stored is not the tree that was signed last, or not the one that was given out: then nothing is placed
   *   and nothing signed
   */
  async extend(tx: Transaction, first: number, count: number): Promise<void> {
    const signer = this.#signer as NoteSigner;
    const size = first - 1;
    const known = await witnessed(this.witness, signer, size);
    const [signed, [edge, begun], leaves] = [
      await this.store.state(tx),
      await this.#hashesOf([cover(0, size), cover(0, known?.size ?? 0)], tx),
      await this.store.leafHashes(tx, first, count),
    ];
    const tree = new GrowingTree(size, edge as Buffer[]);
    assert(signed?.rootHash.equals(tree.root), `the tree of ${size} leaves is the one that was signed`);
    if (known && !fold(begun as Buffer[]).equals(known.rootHash)) throw forked(known.size);
    assert(leaves.length === count, 'every position has its leaf');
    const nodes = leaves.flatMap((leaf) => tree.append(leaf));
    await this.store.extend(tx, nodes, this.#sign(signer, tree.size, tree.root));
  }

  /**
   * The newest signed state, once the witness knows of it; undefined before the first start.
   * @throws CONFLICT when the database does not go on from what was given out
   */
  async given(): Promise<GivenState | undefined> {
    const state = await this.store.state();
    if (!state || !this.#signer) return undefined;
    if (isSame(this.#seen, state)) return this.#seen;
    // One that was under way may have looked before this state was there.
    await this.#asking?.catch(() => undefined);
    if (isSame(this.#seen, state)) return this.#seen;
    this.#asking ??= this.#give(this.#signer).finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  /** The newest signed state as the graph tells it. @throws CONFLICT as `given` */
  async checkpoint(): Promise<AuditCheckpoint | undefined> {
    const given = await this.given();
    if (!given) return undefined;
    const { origin, size, rootHash, signedNote, signedAt: createdAt } = given;
    return { origin, size: String(size), rootHash: rootHash.toString('base64'), signedNote, createdAt };
  }

  /** Proofs of placed entries against the newest checkpoint, with one read for all. @throws CONFLICT as `given` */
  async prove(leaves: readonly Leaf[]): Promise<AuditProof[]> {
    const state = await this.given();
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

  /**
   * The hashes that show the log of one size to be the beginning of it at another (RFC 9162 2.1.4), base64.
   * @param fromText @param toText decimal numbers of leaves
   * @throws BAD_INPUT, NOT_FOUND beyond the newest checkpoint, CONFLICT as `given`
   */
  async consistency(fromText: string, toText: string): Promise<string[]> {
    const state = await this.given();
    const { from, to } = requireSizes(fromText, toText, state?.size ?? 0);
    assert(state, 'a log that has a leaf has a state');
    const path = consistencyPath(from, to);
    const onward = consistencyPath(to, state.size);
    const hashes = (await this.#hashesOf([cover(0, from), cover(0, to), ...path, ...onward])).map(fold);
    const [root1, root2] = hashes as [Buffer, Buffer];
    const shown = hashes.slice(2, 2 + path.length);
    const rest = hashes.slice(2 + path.length);
    const holds =
      verifyConsistency({ size1: from, size2: to, root1, root2, hashes: shown }) &&
      verifyConsistency({ size1: to, size2: state.size, root1: root2, root2: state.rootHash, hashes: rest });
    assert(holds, `the stored proof from ${from} to ${to} leaves holds`);
    return shown.map((hash) => hash.toString('base64'));
  }

  /** Lets the witness know of the newest state, unless that contradicts what it knows. One process at a time. */
  #give(signer: NoteSigner): Promise<GivenState> {
    return this.store.alone(async (tx) => {
      const state = await this.store.state(tx);
      assert(state, 'there is a state since the first start');
      const known = await witnessed(this.witness, signer, state.size);
      const [begun] = await this.#hashesOf([cover(0, known?.size ?? 0)], tx);
      if (known && !fold(begun as Buffer[]).equals(known.rootHash)) throw forked(known.size);
      if (known?.size !== state.size) await this.witness.write(signer.name, state.signedNote);
      this.#seen = { ...state, origin: signer.name, key: verifierKey(signer) };
      return this.#seen;
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
    const origin = this.#newOrigin();
    const key = { origin, privateKey: pkcs8(privateKey) };
    return this.store.begin(key, this.#sign({ name: origin, privateKey }, 0, EMPTY_ROOT));
  }

  #newOrigin(): string {
    return `fleetgraph.local/audit/${this.clock.uuid()}`;
  }

  #sign(signer: NoteSigner, size: number, rootHash: Buffer): Omit<TreeState, 'epoch' | 'size'> {
    const signedNote = signNote(checkpointText({ origin: signer.name, size, rootHash }), signer);
    return { rootHash, signedNote, signedAt: new Date(this.clock.nowMs()) };
  }
}

function isSame(seen: GivenState | undefined, { size, rootHash }: TreeState): seen is GivenState {
  return seen?.size === size && seen.rootHash.equals(rootHash);
}

function signerOf({ origin, privateKey }: StoredKey): NoteSigner {
  return { name: origin, privateKey: createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }) };
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
