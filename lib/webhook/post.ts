import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { checkedAddress, type Reach } from './address.ts';

export interface PostOptions extends Reach {
  /** For everything: resolving, connecting, the answer's first line. */
  timeoutMs: number;
  /** Authorities that are trusted beside the system's, PEM. */
  ca?: string | undefined;
}

/**
 * Posts once, JSON unless the headers say otherwise. The name is resolved once and the connection goes to the address that was checked, so that a name cannot
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
  const address = await checkedAddress(host, options, signal);
  const secure = url.protocol === 'https:';
  return await new Promise((resolve, reject) => {
    const outgoing = (secure ? requestHttps : requestHttp)(
      {
        host: address,
        port: url.port || (secure ? 443 : 80),
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        agent: false,
        ...(secure && options.ca ? { ca: options.ca } : {}),
        signal,
        headers: {
          'content-type': 'application/json',
          ...headers,
          host: url.host,
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
