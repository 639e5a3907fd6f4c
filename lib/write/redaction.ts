import { createHmac } from 'node:crypto';
import { isSecret } from './secrets.ts';

const MARK_BYTES = 16;
/** What is a mark already stays: redacting twice is redacting once. */
const MARK = /^redacted:hmac-sha256:[\w-]{22}$/;
/** An address with a password in it: what stands before it, and the password. */
const URL_PASSWORD = /^([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:)([^\s/?#@]+)(?=@)/i;

/**
 * The value with every secret in it replaced by a keyed mark: what is proved holds no secret, equal secrets have equal marks
 * (so that a change of one can be seen), and without the key a mark says nothing of it.
 * @param key of the fleet’s secret
 */
export function redact(value: unknown, key: Buffer): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, key));
  if (typeof value === 'string')
    return value.replace(URL_PASSWORD, (_, address, secret) => address + markOf(secret, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name, item) ? markOf(item, key) : redact(item, key)]),
  );
}

function markOf(secret: unknown, key: Buffer): string {
  const text = typeof secret === 'string' ? secret : JSON.stringify(secret);
  if (MARK.test(text)) return text;
  const mark = createHmac('sha256', key).update(text).digest().subarray(0, MARK_BYTES);
  return `redacted:hmac-sha256:${mark.toString('base64url')}`;
}
