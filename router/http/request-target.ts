import type { IncomingMessage } from 'node:http';

/** A path that needs no further reading: what nearly every request asks for. */
const PLAIN = /^\/[a-z0-9/_-]*$/i;

/** The path a request asks for, normalised; `/404` for what is none. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  if (url === '/graphql' || PLAIN.test(url)) return url;
  return URL.canParse(url, 'http://router') ? new URL(url, 'http://router').pathname : '/404';
}

/** What stands behind the question mark. */
export function parametersOf({ url = '/' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1).split('#', 1)[0]);
}
