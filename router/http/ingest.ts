import type { IncomingMessage } from 'node:http';
import type { HouseClient } from '../../lib/call/house-client.ts';
import { hasAnyScope } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import { FleetError } from '../../lib/errors.ts';
import { RECORDS_HEADER } from '../../lib/otlp/count.ts';
import { OK } from '../guard/failures.ts';
import type { Guard } from '../guard/guard.ts';
import type { Outcome } from '../guard/pass.ts';
import type { LeaveSignal } from '../leave-signal.ts';
import type { Limits } from '../limits/limits.ts';
import { limitHeaders } from '../limits/standing.ts';
import { readBody, unpackBody } from './body.ts';
import type { Reply } from './reply.ts';
import { JSON_TYPE, send } from './send.ts';

/** A route whose requests are handed to a house as they are, apart from their packing. */
export interface IngestRoute {
  /** The house, as the supergraph names it. */
  subgraph: string;
  /** Of which a caller needs any. */
  scopes?: readonly string[];
  /** Largest body, packed and unpacked, bytes. */
  maxBytes?: number;
  /** How long the house may take to make it durable, or to begin its answer, milliseconds. */
  timeoutMs?: number;
  /** Whether its answers are files, handed down as they come (download.ts). */
  isDownload?: boolean;
}

const SCOPES = ['agent', 'operator'];
const MAX_BYTES = 16_000_000;
const TIMEOUT_MS = 10_000;
/** Headers of an answer that mean something to a sender of telemetry. */
const ANSWER_HEADERS = ['content-type', 'retry-after'] as const;
/** Headers of a request that say how its body is to be read. */
const BODY_HEADERS = ['content-type', 'x-fleet-service', 'x-prometheus-remote-write-version'] as const;

/**
 * Hands a body to its house as a signed call, and the answer back. Its bytes are charged before it is read, as far as its
 * sender tells them; what unpacking adds, and the records its house counted, in hindsight.
 * @throws FORBIDDEN, RATE_LIMITED, HttpRefusal, what the guard throws
 */
export async function passOn(
  target: string,
  route: IngestRoute,
  exchange: { request: IncomingMessage; response: Reply; call: Call; signal: LeaveSignal },
  { guard, house, limits }: { guard: Guard; house: HouseClient; limits: Limits },
): Promise<void> {
  const { request, response, call, signal } = exchange;
  requireScopes(call, route);
  const maxBytes = route.maxBytes ?? MAX_BYTES;
  const path = target.slice(target.indexOf(' ') + 1);
  const told = Number(request.headers['content-length'] ?? 0);
  const standing = await limits.enter(call.principal, path, told);
  const packed = await readBody(request, maxBytes);
  const body = await unpackBody(packed, request.headers['content-encoding'], { maxBytes });
  limits.settle(call.principal, path, body.length - told, 0);
  const headers = pick(request.headers, BODY_HEADERS);
  const answer = await guard.through(
    route.subgraph,
    (deadline, at) => house.send(target, { call, body, headers, signal: deadline, maxBytes: MAX_BYTES, at }),
    {
      signal,
      timeoutMs: route.timeoutMs ?? TIMEOUT_MS,
      judge: ({ status, headers: said }) => judged(status, said),
    },
  );
  limits.settle(call.principal, path, 0, Number(answer.headers[RECORDS_HEADER] ?? 0));
  send(response, answer.status, answer.body, {
    'content-type': JSON_TYPE,
    ...limitHeaders(standing),
    ...pick(answer.headers, ANSWER_HEADERS),
  });
}

/** A house that says 503 with a time to come back is overloaded, not broken: resting it would lose it for queries too. */
export function judged(status: number, headers: IncomingMessage['headers']): Outcome {
  if (status < 500 || headers['retry-after']) return OK;
  return { failed: true, reason: `it answered with status ${status}` };
}

/** @throws FORBIDDEN */
export function requireScopes({ principal }: Call, { scopes = SCOPES }: IngestRoute): void {
  if (!hasAnyScope(principal, scopes))
    throw new FleetError('FORBIDDEN', `this needs one of the scopes ${scopes.join(', ')}`);
}

/** Those of the headers that are there. */
export function pick(headers: IncomingMessage['headers'], names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
