import { sign, verify } from 'node:crypto';
import { type NoteSigner, type NoteVerifier, signatureLine, splitNote } from './note.ts';

/** A witness's statement that it saw a checkpoint go on from all it saw of the log before (C2SP tlog-cosignature, Ed25519). */
export interface Cosignature {
  /** The signature's line in a note, with its end. */
  line: string;
  /** When it was made, epoch seconds. */
  atSeconds: number;
}

const TIME_BYTES = 8;

/** What a witness signs. @param text of the checkpoint, without signatures */
function cosigned(text: string, atSeconds: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${atSeconds}\n${text}`);
}

/** @returns the signature's line, with its end */
export function cosign(text: string, witness: NoteSigner, atSeconds: number): string {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(atSeconds));
  const signature = sign(null, cosigned(text, BigInt(atSeconds)), witness.privateKey);
  return signatureLine(witness, 'cosignature', Buffer.concat([time, signature]));
}

/** A witness's cosignature in a note; undefined when there is none that holds. */
export function cosignatureIn(note: string, witness: NoteVerifier): Cosignature | undefined {
  const parts = splitNote(note);
  for (const { name, keyId, signature } of parts?.signatures ?? []) {
    if (name !== witness.name || !keyId.equals(witness.keyId) || signature.length <= TIME_BYTES) continue;
    const time = signature.readBigUInt64BE();
    const bytes = cosigned(parts?.text ?? '', time);
    if (
      time > BigInt(Number.MAX_SAFE_INTEGER) ||
      !verify(null, bytes, witness.publicKey, signature.subarray(TIME_BYTES))
    )
      continue;
    const line = `\u2014 ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
    return { line, atSeconds: Number(time) };
  }
  return undefined;
}
