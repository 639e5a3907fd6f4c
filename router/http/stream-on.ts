import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { HouseClient } from '../../lib/call/house-client.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Guard } from '../guard/guard.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { Limits } from '../limits/limits.ts';
import { limitHeaders } from '../limits/standing.ts';
import { ANSWER_HEADERS, type IngestRoute, pick, requireScopes, TIMEOUT_MS } from './ingest.ts';
import type { Reply } from './reply.ts';
import { parametersOf } from './request-target.ts';
import { headerPairs, JSON_TYPE } from './send.ts';

/**
 * Hands a question to its house as a signed call, and the answer back as it comes, no faster than the client takes it. What breaks
 * off after the first byte breaks the client’s connection: it can tell what is whole.
 * @throws FORBIDDEN, RATE_LIMITED, what the guard throws
 */
export async function streamOn(
  target: string,
  route: IngestRoute,
  exchange: { request: IncomingMessage; response: Reply; call: Call; signal: LeaveSignal },
  { guard, house, limits }: { guard: Guard; house: HouseClient; limits: Limits },
): Promise<void> {
  const { request, response, call, signal } = exchange;
  requireScopes(call, route);
  const standing = await limits.enter(call.principal, target.slice(target.indexOf(' ') + 1), 0);
  const asked = `${target}?${parametersOf(request)}`;
  const answer = await guard.through(
    route.subgraph,
    (deadline, at) => house.open(asked, { call, signal: deadline, at }),
    {
      signal,
      timeoutMs: route.timeoutMs ?? TIMEOUT_MS,
      judge: ({ statusCode = 0, headers }) =>
        statusCode >= 500 && !headers['retry-after']
          ? { failed: true, reason: `it answered with status ${statusCode}` }
          : { failed: false },
    },
  );
  const headers = { 'content-type': JSON_TYPE, ...limitHeaders(standing), ...pick(answer.headers, ANSWER_HEADERS) };
  response.writeHead(answer.statusCode ?? 502, [...headerPairs(response), ...Object.entries(headers).flat()]);
  await pipeline(answer, response).catch(() => undefined);
}
