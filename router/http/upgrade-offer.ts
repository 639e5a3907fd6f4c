import type { IncomingMessage } from 'node:http';

/** Headers that offer another protocol; without them the request is as it would have been. */
const OFFERING: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection']);

/** Whether a client asks for a WebSocket; others, such as Java's, offer HTTP/2 with every first request. */
export function asksForSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** The head of a request as it was sent, without the offer, which a server may always decline (RFC 9110, 7.8). */
export function headWithoutOffer({ method, url, httpVersion, headers, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!OFFERING.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  if (/(?:^|,)\s*close\s*(?:,|$)/i.test(headers.connection ?? '')) lines.push('Connection: close');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
