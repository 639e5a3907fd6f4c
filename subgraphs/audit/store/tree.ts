import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { EPOCH } from '../../../lib/events/epoch.ts';
import type { Coordinate, TreeNode } from '../../../lib/merkle/index.ts';

/** The tree's newest state. */
export interface TreeState {
  epoch: string;
  size: number;
  rootHash: Buffer;
  signedNote: string;
  signedAt: Date;
}

/** The key that signs checkpoints, and the name it signs as. */
export interface StoredKey {
  origin: string;
  /** PKCS #8, DER. */
  privateKey: Buffer;
}

/** The Merkle tree: hashes of its perfect subtrees, its newest checkpoint and its key. */
export class TreeStore {
  constructor(private readonly database: DataSource) {}

  /** Writes key and empty tree, unless another process did: then those stay. @returns those that are there */
  begin(key: StoredKey, state: Omit<TreeState, 'epoch' | 'size'>): Promise<StoredKey> {
    return this.database.transaction(async (tx) => {
      await tx.query(
        'insert into signing_key (origin, private_key, created_at) values ($1, $2, $3) on conflict (one) do nothing',
        [key.origin, key.privateKey, state.signedAt],
      );
      await tx.query(
        'insert into tree (root_hash, signed_note, signed_at) values ($1, $2, $3) on conflict (one) do nothing',
        [state.rootHash, state.signedNote, state.signedAt],
      );
      return (await this.key(tx)) as StoredKey;
    });
  }

  /** Does what only one process may do at a time, whichever machine it is on. */
  alone<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('witness'))`);
      return await work(tx);
    });
  }

  /** Puts another key and a checkpoint by it in the place of those there were. */
  async renew(tx: Transaction, key: StoredKey, state: Omit<TreeState, 'epoch' | 'size'>): Promise<void> {
    await tx.query('update signing_key set origin = $1, private_key = $2, created_at = $3', [
      key.origin,
      key.privateKey,
      state.signedAt,
    ]);
    await tx.query('update tree set signed_note = $1, signed_at = $2', [state.signedNote, state.signedAt]);
  }

  async key(tx?: Transaction): Promise<StoredKey | undefined> {
    const [row] = await (tx ?? this.database).query('select origin, private_key as "privateKey" from signing_key');
    return row;
  }

  async state(tx?: Transaction): Promise<TreeState | undefined> {
    const [row] = await (tx ?? this.database).query(
      `select ${EPOCH} as epoch, last_position as size, root_hash as "rootHash", signed_note as "signedNote", signed_at as "signedAt" from tree`,
    );
    return row && { ...row, size: Number(row.size) };
  }

  /** Hashes of leaves by their positions, in order. */
  async leafHashes(tx: Transaction, first: number, count: number): Promise<Buffer[]> {
    const rows: { hash: Buffer }[] = await tx.query(
      'select leaf_hash as hash from entry where position between $1 and $2 order by position',
      [first, first + count - 1],
    );
    return rows.map(({ hash }) => hash);
  }

  /** Hashes of perfect subtrees, each found by its primary key; as many as are stored, in no order. */
  async nodes(parts: readonly Coordinate[], tx?: Transaction): Promise<TreeNode[]> {
    const leaves = parts.filter(({ level }) => level === 0);
    const inner = parts.filter(({ level }) => level > 0);
    const rows: { level: number; index: string; hash: Buffer }[] = await (tx ?? this.database).query(
      `select 0 as level, position - 1 as index, leaf_hash as hash from entry where position = any($1::bigint[])
       union all
       select n.level, n.index, n.hash from unnest($2::int[], $3::bigint[]) as wanted(level, index)
         join tree_node n on n.level = wanted.level and n.index = wanted.index`,
      [leaves.map(({ index }) => index + 1), inner.map(({ level }) => level), inner.map(({ index }) => index)],
    );
    return rows.map(({ level, index, hash }) => ({ level, index: Number(index), hash }));
  }

  /** Writes new perfect subtrees and the checkpoint over them, in the transaction that placed the leaves. */
  async extend(tx: Transaction, nodes: readonly TreeNode[], state: Omit<TreeState, 'epoch' | 'size'>): Promise<void> {
    await tx.query(
      'insert into tree_node (level, index, hash) select * from unnest($1::int[], $2::bigint[], $3::bytea[])',
      [nodes.map(({ level }) => level), nodes.map(({ index }) => index), nodes.map(({ hash }) => hash)],
    );
    await tx.query('update tree set root_hash = $1, signed_note = $2, signed_at = $3', [
      state.rootHash,
      state.signedNote,
      state.signedAt,
    ]);
  }
}
