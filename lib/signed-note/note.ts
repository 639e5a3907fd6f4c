import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { FleetError } from '../errors.ts';

/** Signed notes (C2SP signed-note): text, a blank line, and lines of signatures by named keys. Ed25519 only. */

/** What a key signs: notes, or with a time what it saw (C2SP tlog-cosignature). */
export const KEY_KINDS = { note: 1, cosignature: 4 } as const;
export type KeyKind = keyof typeof KEY_KINDS;

const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const MAX_SIGNATURES = 100;
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
const VERIFIER_KEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u;
/** SubjectPublicKeyInfo of an Ed25519 key before its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Who verifies: a name and a public key. */
export interface NoteVerifier {
  name: string;
  keyId: Buffer;
  publicKey: KeyObject;
}

/** Who signs. */
export interface NoteSigner {
  /** No space and no plus sign. */
  name: string;
  /** Ed25519. */
  privateKey: KeyObject;
}

function rawPublicKey(key: KeyObject): Buffer {
  const spki = createPublicKey(key as never).export({ format: 'der', type: 'spki' });
  return spki.subarray(spki.length - PUBLIC_KEY_BYTES);
}

function keyIdOf(name: string, raw: Uint8Array, kind: KeyKind): Buffer {
  const hash = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([KEY_KINDS[kind]]))
    .update(raw)
    .digest();
  return hash.subarray(0, KEY_ID_BYTES);
}

/** The signer's key as verifiers take it: `name+id+key`. */
export function verifierKey({ name, privateKey }: NoteSigner, kind: KeyKind = 'note'): string {
  const raw = rawPublicKey(privateKey);
  const key = Buffer.concat([Buffer.from([KEY_KINDS[kind]]), raw]).toString('base64');
  return `${name}+${keyIdOf(name, raw, kind).toString('hex')}+${key}`;
}

/** Reads `name+id+key`. @throws BAD_INPUT when it is no Ed25519 key of this kind or its id is not that of its key */
export function readVerifierKey(text: string, kind: KeyKind = 'note'): NoteVerifier {
  const [, name = '', id = '', encoded = ''] = VERIFIER_KEY.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const raw = bytes.subarray(1);
  if (bytes[0] !== KEY_KINDS[kind] || raw.length !== PUBLIC_KEY_BYTES) {
    const what = kind === 'note' ? 'a verifier key' : 'a key of a witness';
    throw new FleetError('BAD_INPUT', `${what} is name+id+key with an Ed25519 key`);
  }
  const keyId = keyIdOf(name, raw, kind);
  if (keyId.toString('hex') !== id)
    throw new FleetError('BAD_INPUT', 'the id of the verifier key is not that of its key');
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  return { name, keyId, publicKey };
}

/** Signs a text. @param text ends in a newline */
export function signNote(text: string, signer: NoteSigner): string {
  if (!isText(text)) throw new FleetError('BAD_INPUT', 'a note ends in a newline and has no control characters');
  return `${text}\n${signatureLine(signer, 'note', sign(null, Buffer.from(text), signer.privateKey))}`;
}

/** A line that bears a signature, with its end. */
export function signatureLine({ name, privateKey }: NoteSigner, kind: KeyKind, signature: Uint8Array): string {
  const bytes = Buffer.concat([keyIdOf(name, rawPublicKey(privateKey), kind), signature]);
  return `\u2014 ${name} ${bytes.toString('base64')}\n`;
}

/**
 * The text of a note, when at least one of the verifiers' signatures holds and none of theirs fails. Signatures of unknown
 * keys are ignored.
 * @returns undefined when the note is malformed or not signed by them
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): string | undefined {
  const parts = splitNote(note);
  if (!parts) return undefined;
  let held = 0;
  for (const { name, keyId, signature } of parts.signatures) {
    const verifier = verifiers.find((known) => known.name === name && known.keyId.equals(keyId));
    if (!verifier) continue;
    if (!verify(null, Buffer.from(parts.text), verifier.publicKey, signature)) return undefined;
    held += 1;
  }
  return held > 0 ? parts.text : undefined;
}

interface Signature {
  name: string;
  keyId: Buffer;
  signature: Buffer;
}

/** A note's text and its signatures, none of them verified; undefined when it is malformed. */
export function splitNote(note: string): { text: string; signatures: Signature[] } | undefined {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !isText(note)) return undefined;
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures: Signature[] = [];
  for (const line of lines) {
    const [, name, encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    // Bits that base64 does not use would be a place where a note can be altered and still opens.
    if (name === undefined || bytes.length <= KEY_ID_BYTES || bytes.toString('base64') !== encoded) return undefined;
    signatures.push({ name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) });
  }
  return { text: note.slice(0, split + 1), signatures };
}

/** Ends in a newline, and has no other character below U+0020. */
function isText(text: string): boolean {
  // biome reads a control character in an expression as a slip, so they are told by number.
  return text.endsWith('\n') && [...text].every((char) => char === '\n' || char >= ' ');
}
