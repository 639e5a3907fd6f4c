import { createHmac } from 'node:crypto';
import { isSecret } from '../../../lib/write/secrets.ts';

const MARK_BYTES = 16;

/**
 * The value with every secret in it replaced by a keyed mark: what is proved holds no secret, equal secrets have equal marks
 * (so that a change of one can be seen), and without the key a mark says nothing of it.
 * @param key never leaves the house
 */
export function redact(value: unknown, key: Buffer): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name, item) ? markOf(item, key) : redact(item, key)]),
  );
}

function markOf(secret: unknown, key: Buffer): string {
  const text = typeof secret === 'string' ? secret : JSON.stringify(secret);
  const mark = createHmac('sha256', key).update(text).digest().subarray(0, MARK_BYTES);
  return `redacted:hmac-sha256:${mark.toString('base64url')}`;
}
