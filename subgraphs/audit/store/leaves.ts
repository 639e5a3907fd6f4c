import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { CONFIGURATION_TYPES } from './entries.ts';
import type { Stretch } from './progress.ts';

/** A leaf as it is exported. */
export interface StoredLeaf {
  /** Null once retention removed its bytes. */
  leaf: Buffer | null;
  leafHash: Buffer;
}

const PAGE_ROWS = 1_000;
const PAGE_BYTES = 4_000_000;

/** The leaves in the order of the tree. */
export class LeafStore {
  constructor(private readonly database: DataSource) {}

  /**
   * Removes the bytes of the entries behind a position, up to the first that is not old enough; what is known of the configuration
   * stays, for it is what a start is compared with. Their hashes stay all.
   * @param upTo position that is not gone beyond
   * @returns how far it came, and of how many entries the bytes went
   */
  async removeBytes(
    tx: Transaction,
    { after, upTo }: Stretch,
    before: Date,
  ): Promise<{ position: number; removed: number }> {
    const [row] = await tx.query(
      `with behind as (
         select id, position, target_type, leaf is not null as is_there,
                bool_and(occurred_at < $3) over (order by position) as is_old
           from entry where position > $1 and position <= $2),
       emptied as (
         update entry e set leaf = null from behind b
          where b.id = e.id and b.is_old and b.is_there and b.target_type <> all($4::text[]) returning 1)
       select coalesce(max(position) filter (where is_old), $1) as position, (select count(*) from emptied) as removed from behind`,
      [after, upTo, before, CONFIGURATION_TYPES],
    );
    return { position: Number(row.position), removed: Number(row.removed) };
  }

  /**
   * The leaves from an index on, as many as one answer may hold; at least one, if there is one.
   * @param from @param to indices from 0, `to` exclusive
   */
  page(from: number, to: number): Promise<StoredLeaf[]> {
    // Lengths are known without the bytes: only those of this page are read.
    return this.database.query(
      `select e.leaf, e.leaf_hash as "leafHash"
         from (select id, position, sum(octet_length(leaf)) over (order by position) as bytes
                 from entry where position > $1::bigint and position <= least($2::bigint, $1::bigint + ${PAGE_ROWS}) order by position) p
         join entry e on e.id = p.id
        where p.position = $1::bigint + 1 or p.bytes is null or p.bytes <= ${PAGE_BYTES}
        order by p.position`,
      [from, to],
    );
  }
}
