import type { IncomingMessage } from 'node:http';
import { FleetError } from '../../lib/errors.ts';
import { CLOSING, HttpRefusal } from './body.ts';

/** Header lines of one request; node would drop those beyond its own bound without a word. */
const MAX_HEADERS = 200;

/**
 * What is wrong with a request that node's parser took, and that a server in front may read otherwise: its status and why.
 * Two readings of one connection are how one client's request is made another's.
 */
export function faultOf({ httpVersion, headers, rawHeaders }: IncomingMessage): [number, string] | undefined {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return [505, 'this is asked by HTTP/1.1 or HTTP/1.0'];
  if (rawHeaders.length > 2 * MAX_HEADERS) return [431, `a request has at most ${MAX_HEADERS} headers`];
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return [501, 'a body is sent whole, or chunked'];
  return countOfHosts(rawHeaders) > 1 ? [400, 'a request names one host'] : undefined;
}

/** @throws HttpRefusal, after which the connection is closed */
export function requireProperFraming(request: IncomingMessage): void {
  const fault = faultOf(request);
  if (fault) throw new HttpRefusal(fault[0], new FleetError('BAD_INPUT', fault[1]), CLOSING);
}

function countOfHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}
