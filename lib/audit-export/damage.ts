/** What can be wrong with an exported audit log. */
export type Fault =
  /** No line of this format. */
  | 'UNREADABLE'
  /** Bytes are not what was proved. */
  | 'ALTERED'
  /** Entries are left out. */
  | 'MISSING'
  /** An entry stands where another should. */
  | 'MISPLACED'
  /** There is more than what was signed. */
  | 'BEYOND'
  /** It ends without a checkpoint. */
  | 'TRUNCATED'
  /** The checkpoint is not signed by the key. */
  | 'UNSIGNED'
  /** It has another past than an older checkpoint. */
  | 'FORKED'
  /** It ends before an older checkpoint: an old backup. */
  | 'ROLLED_BACK'
  /** An entry’s bytes were removed. */
  | 'REMOVED';

/** The first damage of an exported audit log: where, and what is wrong. */
export class Damage extends Error {
  /**
   * @param index the entry's place, from 0; null where no single entry can be named
   * @param id the entry's node id, where its bytes can still be read
   */
  constructor(
    readonly fault: Fault,
    message: string,
    readonly index: number | null = null,
    readonly id: string | null = null,
  ) {
    super(message);
  }
}
