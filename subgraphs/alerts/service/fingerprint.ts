import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../lib/write/canonical.ts';

/** What makes two alerts the same one: 32 hex digits of whatever names it. */
export function fingerprintOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex').slice(0, 32);
}
