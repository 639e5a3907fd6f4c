import type { DataSource } from 'typeorm';

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
