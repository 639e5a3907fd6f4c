import type { IncomingMessage, ServerResponse } from 'node:http';

const ALLOWED_HEADERS =
  'authorization, content-type, content-encoding, x-fleet-csrf, apollo-require-preflight, x-apollo-operation-name, idempotency-key, last-event-id, traceparent, x-cost, x-priority, x-timeout-ms, x-graphql-event-stream-token';
const SHOWN_HEADERS = 'x-request-id, retry-after, ratelimit, ratelimit-policy';

/**
 * Tells a browser what its page may do here; without listed origins, nothing.
 * @returns whether the request was only the question, and is answered
 */
export function answerCors(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origin === undefined || origins.length === 0) return false;
  response.setHeader('vary', 'origin');
  if (!origins.includes(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', SHOWN_HEADERS);
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': '600',
  });
  response.end();
  return true;
}
