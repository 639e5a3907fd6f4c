import type { DataSource } from 'typeorm';

/** What a witness said of this log last. */
export interface StoredCosignature {
  witness: string;
  /** Leaves of the checkpoint that it cosigned. */
  size: number;
  /** That checkpoint, signed by the log. */
  signedNote: string;
  /** The witness's line, with its end. */
  line: string;
  cosignedAt: Date;
}

const COLUMNS = 'witness, size, signed_note as "signedNote", line, cosigned_at as "cosignedAt"';

/** The newest cosignature of each witness of this log. */
export class CosignatureStore {
  constructor(private readonly database: DataSource) {}

  async all(origin: string): Promise<StoredCosignature[]> {
    const rows = await this.database.query(`select ${COLUMNS} from cosignature where origin = $1 order by witness`, [
      origin,
    ]);
    return rows.map(sized);
  }

  async of(origin: string, witness: string): Promise<StoredCosignature | undefined> {
    const [row] = await this.database.query(`select ${COLUMNS} from cosignature where origin = $1 and witness = $2`, [
      origin,
      witness,
    ]);
    return row && sized(row);
  }

  /** Keeps it, unless a later one is there. */
  async keep(origin: string, { witness, size, signedNote, line, cosignedAt }: StoredCosignature): Promise<void> {
    await this.database.query(
      `insert into cosignature as c (origin, witness, size, signed_note, line, cosigned_at) values ($1, $2, $3, $4, $5, $6)
       on conflict (origin, witness) do update
         set size = excluded.size, signed_note = excluded.signed_note, line = excluded.line, cosigned_at = excluded.cosigned_at
       where c.size <= excluded.size`,
      [origin, witness, size, signedNote, line, cosignedAt],
    );
  }
}

function sized(row: StoredCosignature): StoredCosignature {
  return { ...row, size: Number(row.size) };
}
