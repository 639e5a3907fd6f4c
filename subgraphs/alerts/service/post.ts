import { type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { FleetError } from '../../../lib/errors.ts';
import { isPublicAddress } from './address.ts';

export interface PostOptions {
  /** Whether it may go to private and loopback addresses. */
  allowPrivate: boolean;
  /** For everything: resolving, connecting, the answer's first line. */
  timeoutMs: number;
  /** Resolves a name; the machine's resolver without it. */
  resolve?: (host: string) => Promise<Pick<LookupAddress, 'address'>[]>;
}

const resolveHere = (host: string) => lookup(host, { all: true });

/**
 * Posts JSON once. The name is resolved once and the connection goes to the address that was checked, so that a name cannot
 * change its meaning in between; redirects are not followed; the answer's body is not read.
 * @returns the status
 * @throws FORBIDDEN when the target is not public; whatever the network said otherwise
 */
export async function postOnce(
  target: string,
  headers: Record<string, string>,
  body: string,
  options: PostOptions,
): Promise<number> {
  const url = new URL(target);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const signal = AbortSignal.timeout(options.timeoutMs);
  const found = isIP(host) ? [{ address: host }] : await before(signal, (options.resolve ?? resolveHere)(host));
  const [first] = found;
  if (!first) throw new Error('the target’s name has no address');
  // One private address among several is a trap: which one is taken must not matter.
  if (!options.allowPrivate && !found.every(({ address }) => isPublicAddress(address))) {
    throw new FleetError('FORBIDDEN', 'the target is not a public address');
  }
  const secure = url.protocol === 'https:';
  return await new Promise((resolve, reject) => {
    const outgoing = (secure ? requestHttps : requestHttp)(
      {
        host: first.address,
        port: url.port || (secure ? 443 : 80),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        agent: false,
        signal,
        headers: {
          ...headers,
          host: url.host,
          'content-type': 'application/json',
          'user-agent': 'fleetgraph',
          'content-length': Buffer.byteLength(body),
        },
        ...(secure && !isIP(host) ? { servername: host } : {}),
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Gives up waiting when the signal says so. */
function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
