import type { DataSource } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';

/** The key that cosigns, and the name it does so under. */
export interface WitnessKey {
  name: string;
  /** PKCS #8, DER. */
  privateKey: Buffer;
}

/** The newest checkpoint of another log that was cosigned here. */
export interface WitnessedLog {
  origin: string;
  signedNote: string;
  cosignedAt: Date;
}

/** What this instance knows as the witness of other logs. */
export class WitnessedLogStore {
  constructor(private readonly database: DataSource) {}

  /** Writes the key, unless another process did: then that stays. @returns the one that is there */
  async begin({ name, privateKey }: WitnessKey, at: Date): Promise<WitnessKey> {
    await this.database.query(
      'insert into witness_key (name, private_key, created_at) values ($1, $2, $3) on conflict (one) do nothing',
      [name, privateKey, at],
    );
    const [row] = await this.database.query('select name, private_key as "privateKey" from witness_key');
    return row;
  }

  /** What is looked at and what is written together with nobody in between, over all processes. */
  alone<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('cosigning'))`);
      return await work(tx);
    });
  }

  async all(): Promise<WitnessedLog[]> {
    return await this.database.query(
      'select origin, signed_note as "signedNote", cosigned_at as "cosignedAt" from witnessed_log order by origin',
    );
  }

  async note(tx: Transaction, origin: string): Promise<string | undefined> {
    const [row] = await tx.query('select signed_note as note from witnessed_log where origin = $1', [origin]);
    return row?.note;
  }

  async keep(tx: Transaction, { origin, signedNote, cosignedAt }: WitnessedLog): Promise<void> {
    await tx.query(
      `insert into witnessed_log (origin, signed_note, cosigned_at) values ($1, $2, $3)
       on conflict (origin) do update set signed_note = excluded.signed_note, cosigned_at = excluded.cosigned_at`,
      [origin, signedNote, cosignedAt],
    );
  }
}
