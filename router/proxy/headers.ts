import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Call } from '../../lib/call/signing.ts';

/** What belongs to one connection (RFC 9110, 7.6.1). */
const HOP = [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
];
/** What is between the caller and this port alone, or is said anew. */
const OURS: ReadonlySet<string> = new Set([
  ...HOP,
  ...['authorization', 'cookie', 'host', 'content-length', 'forwarded', 'traceparent', 'x-request-id'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'],
]);
/** What a service must not say in this port's name: a browser takes it for the port's own word. */
const NOT_THEIRS: ReadonlySet<string> = new Set([
  ...HOP,
  ...['set-cookie', 'set-cookie2', 'clear-site-data', 'strict-transport-security', 'service-worker-allowed'],
  ...['content-security-policy', 'x-content-type-options', 'x-request-id', 'x-fleet-agent', 'alt-svc'],
]);

function listedIn(headers: IncomingHttpHeaders): ReadonlySet<string> {
  const { connection } = headers;
  return new Set(connection?.split(',').map((name) => name.trim().toLowerCase()));
}

/** The headers of a request as its service gets them. Credentials are for this port, and stay here. */
export function forwardedHeaders(request: IncomingMessage, call: Call): Record<string, string | string[]> {
  const listed = listedIn(request.headers);
  const kept = Object.entries(request.headers).filter(
    ([name, value]) => value !== undefined && !OURS.has(name) && !listed.has(name) && !name.startsWith('x-fleet-'),
  ) as [string, string | string[]][];
  return {
    ...Object.fromEntries(kept),
    'x-request-id': call.requestId,
    ...(call.traceparent ? { traceparent: call.traceparent } : {}),
    ...(call.clientIp ? { 'x-forwarded-for': call.clientIp } : {}),
    ...(request.headers.host ? { 'x-forwarded-host': request.headers.host } : {}),
  };
}

/** The headers of an answer as the caller gets them; a page among them runs nothing in this port's name. */
export function answeredHeaders(
  headers: IncomingHttpHeaders,
  name: string,
  requestId: string,
): Record<string, string | string[]> {
  const listed = listedIn(headers);
  const kept = Object.entries(headers).filter(
    ([header, value]) =>
      value !== undefined && !NOT_THEIRS.has(header) && !listed.has(header) && !header.startsWith('access-control-'),
  ) as [string, string | string[]][];
  return {
    ...Object.fromEntries(kept),
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'x-request-id': requestId,
    'x-fleet-agent': encodeURIComponent(name),
  };
}
