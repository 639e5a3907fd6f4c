import type { IncomingMessage } from 'node:http';
import { FleetError } from '../../lib/errors.ts';

/** A target that names its server too, as proxies are asked (RFC 9112, 3.2.2): authority, and all behind it. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/** The path a request asks for, letter by letter: what is only like a path of ours is none, whatever a proxy made of it. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const target = url.startsWith('/') ? url : (ABSOLUTE.exec(url)?.[2] ?? url);
  const end = target.search(/[?#]/);
  return (end < 0 ? target : target.slice(0, end)) || '/';
}

/** The name under which a request asks for this server: its target's, which stands before the header's. */
export function hostOf({ url = '/', headers }: IncomingMessage): string | undefined {
  return url.startsWith('/') ? headers.host : (ABSOLUTE.exec(url)?.[1] ?? headers.host);
}

/** What stands behind the question mark. @throws BAD_INPUT for what is not encoded, or no UTF-8 */
export function parametersOf({ url = '/' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  const text = at < 0 ? '' : (url.slice(at + 1).split('#', 1)[0] as string);
  try {
    // URLSearchParams puts other characters in the place of what it cannot read.
    decodeURIComponent(text);
  } catch {
    throw new FleetError('BAD_INPUT', 'what stands behind the question mark is not UTF-8 in percent-encoding');
  }
  return new URLSearchParams(text);
}
