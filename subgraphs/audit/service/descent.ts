import { FleetError } from '../../../lib/errors.ts';
import {
  type Checkpoint,
  type NoteSigner,
  openNote,
  readCheckpoint,
  readVerifierKey,
  verifierKey,
} from '../../../lib/signed-note/index.ts';
import type { Witness } from '../store/index.ts';

const SIZE = /^(0|[1-9]\d{0,14})$/;

/**
 * What was last given out, as the witness has it; undefined when it has seen nothing of this log.
 * @param size leaves that the database has
 * @throws CONFLICT when it has seen more than there is, or something that this log did not sign
 */
export async function witnessed(witness: Witness, signer: NoteSigner, size: number): Promise<Checkpoint | undefined> {
  const note = await witness.read(signer.name);
  if (note === undefined) return undefined;
  const text = openNote(note, [readVerifierKey(verifierKey(signer))]);
  const known = text === undefined ? undefined : readCheckpoint(text);
  if (known?.origin !== signer.name)
    throw new FleetError('CONFLICT', 'the witness of the audit log was altered: nothing is signed (docs/audit.md)');
  if (known.size > size) {
    throw new FleetError(
      'CONFLICT',
      `the audit log was given out with ${known.size} entries and its database has ${size}: an older backup was put back, and nothing is signed (docs/audit.md)`,
    );
  }
  return known;
}

/** The refusal of a log that has another past than what was given out. */
export function forked(size: number): FleetError {
  return new FleetError(
    'CONFLICT',
    `the first ${size} entries of the audit log are not those that were given out: nothing is signed (docs/audit.md)`,
  );
}

/**
 * The sizes of a consistency proof.
 * @param newest leaves there are now
 * @throws BAD_INPUT for what is no size, for 0, and for `from` beyond `to`; NOT_FOUND for `to` beyond the newest checkpoint
 */
export function requireSizes(fromText: string, toText: string, newest: number): { from: number; to: number } {
  const sizes = { from: fromText, to: toText };
  for (const [field, text] of Object.entries(sizes)) {
    if (!SIZE.test(text))
      throw new FleetError('BAD_INPUT', `\`${field}\` is a number of entries in decimal`, { field: [field] });
  }
  const [from, to] = [Number(fromText), Number(toText)];
  if (from === 0) {
    throw new FleetError(
      'BAD_INPUT',
      'every log goes on from an empty one, so there is nothing to show: take 1 or more',
      {
        field: ['from'],
      },
    );
  }
  if (from > to)
    throw new FleetError('BAD_INPUT', '`from` is the smaller size, and `to` the larger', { field: ['from'] });
  if (to > newest) throw new FleetError('NOT_FOUND', `the newest checkpoint has ${newest} entries`, { field: ['to'] });
  return { from, to };
}
