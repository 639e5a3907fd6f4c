import { FleetError } from '../../lib/errors.ts';

/** What a request under a prefix asks for. */
export interface ProxyTarget {
  service: string;
  /** What follows the service, with its slash; `/` when nothing does. */
  path: string;
  /** With its question mark; empty when there is none. */
  search: string;
}

/** A step out of the path that a service registered. */
const DOTS = /^(\.|%2e){1,2}$/i;
const MOST_SERVICE = 128;

/** Takes a target apart. @throws BAD_INPUT for one that leaves the service's own path, or names none */
export function targetIn(url: string, prefix: string): ProxyTarget {
  const start = url.indexOf(prefix) + prefix.length;
  const [whole = '', ...query] = url.slice(start).split('#', 1)[0]?.split('?') ?? [];
  const slash = whole.indexOf('/');
  const named = slash < 0 ? whole : whole.slice(0, slash);
  const path = slash < 0 ? '/' : whole.slice(slash);
  const service = decoded(named);
  if (!service || service.length > MOST_SERVICE) {
    throw new FleetError('BAD_INPUT', `name a service: ${prefix}<name>/…`);
  }
  if (path.split(/[/\\]|%2f|%5c/i).some((part) => DOTS.test(part))) {
    throw new FleetError('BAD_INPUT', 'a path has no steps upward');
  }
  return { service, path, search: query.length ? `?${query.join('?')}` : '' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FleetError('BAD_INPUT', 'a name is UTF-8 in percent-encoding');
  }
}

/** Where a path is at one address of a service. */
export function urlAt(base: string, { path, search }: ProxyTarget): URL {
  const url = new URL(base);
  const full = new URL(`${url.pathname.replace(/\/+$/, '')}${path}${search}`, url.origin);
  // `//host` in a path would name another server.
  if (full.origin !== url.origin) throw new FleetError('BAD_INPUT', 'this path names another server');
  return full;
}
