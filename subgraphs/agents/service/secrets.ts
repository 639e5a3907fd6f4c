import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a credential is of: an API key or an agent. */
export type SecretKind = 'fk' | 'fa';

const SHAPE = /^(fk|fa)_([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/;

/** A new credential: the whole of it, shown once, and the hash that is kept. */
export function makeSecret(kind: SecretKind, id: string): { secret: string; hash: Buffer } {
  const secret = `${kind}_${id}.${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashOf(secret) };
}

/** The parts of a credential; undefined when it is none of ours. */
export function readSecret(secret: string): { kind: SecretKind; id: string; hash: Buffer } | undefined {
  const match = SHAPE.exec(secret);
  return match ? { kind: match[1] as SecretKind, id: match[2] as string, hash: hashOf(secret) } : undefined;
}

/** Whether two hashes are the same, in constant time. */
export function isSameHash(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
