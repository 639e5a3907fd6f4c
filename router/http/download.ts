import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { HouseClient } from '../../lib/call/house-client.ts';
import { ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import type { Guard } from '../guard/guard.ts';
import type { Limits } from '../limits/limits.ts';
import { limitHeaders } from '../limits/standing.ts';
import type { Exchange } from './graphql-door.ts';
import { type IngestRoute, judged, pick, requireScopes } from './ingest.ts';
import { parametersOf } from './request-target.ts';
import { PLAIN_HEADERS } from './send.ts';

const TIMEOUT_MS = 30_000;
const MAX_REFUSAL_BYTES = 65_536;
/** Headers of an answer that say what is in it. */
const ANSWER_HEADERS = [
  'content-type',
  'content-disposition',
  'fleet-export-total',
  'fleet-export-limit',
  'x-fleet-index',
];

/**
 * Asks a house by a signed call, and hands its answer down as it comes, at the caller's pace: no more of it is held than a
 * few chunks. A house that fails half-way cuts the connection.
 * @throws FORBIDDEN, RATE_LIMITED, what the guard throws, and the house's own refusal
 */
export async function handDown(
  target: string,
  route: IngestRoute,
  { request, response, call, signal }: Exchange,
  { guard, house, limits }: { guard: Guard; house: HouseClient; limits: Limits },
): Promise<void> {
  requireScopes(call, route);
  const standing = await limits.enter(call.principal, target.slice(target.indexOf(' ') + 1), 0);
  const parameters = parametersOf(request).toString();
  const answer = await guard.through(
    route.subgraph,
    (deadline, at) => house.open(parameters ? `${target}?${parameters}` : target, { call, signal: deadline, at }),
    {
      signal,
      timeoutMs: route.timeoutMs ?? TIMEOUT_MS,
      judge: ({ statusCode = 0, headers }) => judged(statusCode, headers),
    },
  );
  if (answer.statusCode !== 200) throw await refusalIn(answer);
  // The deadline was for its beginning; from here on only the end of either side ends it.
  response.writeHead(200, {
    ...PLAIN_HEADERS,
    'x-request-id': response.requestId,
    ...limitHeaders(standing),
    ...pick(answer.headers, ANSWER_HEADERS),
  });
  if (request.method === 'HEAD') {
    answer.destroy();
    response.end();
    return;
  }
  await pipeline(answer, response);
}

/** What a house said instead of an answer. */
async function refusalIn(answer: IncomingMessage): Promise<FleetError> {
  let text = '';
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > MAX_REFUSAL_BYTES) break;
  }
  try {
    const [{ message, extensions }] = JSON.parse(text).errors;
    if (extensions.code in ERROR_CODES) return new FleetError(extensions.code as ErrorCode, message, extensions);
  } catch {
    // Not one of ours: told below.
  }
  return new FleetError('INTERNAL', 'something went wrong here: tell us the requestId');
}
