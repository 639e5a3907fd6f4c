import { createHmac } from 'node:crypto';
import { isSecret } from './secrets.ts';

const MARK_BYTES = 16;
/** What is a mark already stays: redacting twice is redacting once. */
const MARK = /^redacted:hmac-sha256:[\w-]{22}$/;
/** Addresses with credentials, wherever in a text: what stands before them, and the credentials. */
const CREDENTIALS = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@]+)(?=@)/gi;

/**
 * The value with every secret in it replaced by a keyed mark: what is proved holds no secret, equal secrets have equal marks
 * (so that a change of one can be seen), and without the key a mark says nothing of it.
 * @param key of the fleet’s secret
 */
export function redact(value: unknown, key: Buffer): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, key));
  if (typeof value === 'string')
    return value.replace(CREDENTIALS, (_, scheme, given) => scheme + markedCredentials(given, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, isSecret(name, item) ? markOf(item, key) : redact(item, key)]),
  );
}

/** A name alone may be a token. */
function markedCredentials(given: string, key: Buffer): string {
  const at = MARK.test(given) ? -1 : given.indexOf(':');
  return given.slice(0, at + 1) + markOf(given.slice(at + 1), key);
}

function markOf(secret: unknown, key: Buffer): string {
  const text = typeof secret === 'string' ? secret : JSON.stringify(secret);
  if (MARK.test(text)) return text;
  const mark = createHmac('sha256', key).update(text).digest().subarray(0, MARK_BYTES);
  return `redacted:hmac-sha256:${mark.toString('base64url')}`;
}
