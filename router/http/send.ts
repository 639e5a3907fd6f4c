import type { AnyAnswer } from '../engine.ts';
import { jsonOfAnswer } from '../execute/written.ts';
import { answerStatus, retryAfterSeconds } from './public-errors.ts';
import type { HeaderPairs, WholeReply } from './reply.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const GRAPHQL_TYPE = 'application/graphql-response+json; charset=utf-8';

/** Headers that every answer has. */
export const PLAIN_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
const PLAIN_PAIRS = Object.entries(PLAIN_HEADERS).flat();

/** The headers of an answer, as far as they are the same for all. */
export function headerPairs({ requestId }: WholeReply): HeaderPairs {
  return requestId === '' ? [...PLAIN_PAIRS] : [...PLAIN_PAIRS, 'x-request-id', requestId];
}

/** Sends a whole answer, unless the client has left or was answered. */
export function send(
  response: WholeReply,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent || response.destroyed) return;
  const pairs = headerPairs(response);
  for (const name in headers) pairs.push(name, headers[name] as string);
  response.sendWhole(status, body, pairs);
}

/** Sends a JSON document that is no GraphQL answer. */
export function sendJson(response: WholeReply, status: number, body: object): void {
  send(response, status, JSON.stringify(body), { 'content-type': JSON_TYPE });
}

/** Sends what an operation that ran came to: the road of nearly every answer, so its headers are put down as they are sent. */
export function sendRun(
  response: WholeReply,
  answer: AnyAnswer,
  contentType: string,
  headers: Readonly<Record<string, string>>,
  tookMs: number,
): void {
  if (answer.data === undefined) {
    sendAnswer(response, answer, { ...headers, 'content-type': contentType });
    return;
  }
  if (response.headersSent || response.destroyed) return;
  const pairs = headerPairs(response);
  pairs.push('content-type', contentType, 'server-timing', `router;dur=${tookMs}`);
  for (const name in headers) pairs.push(name, headers[name] as string);
  response.sendWhole(200, jsonOfAnswer(answer), pairs);
}

/** Sends a GraphQL answer with the status and the waiting time that belong to it. */
export function sendAnswer(
  response: WholeReply,
  answer: AnyAnswer,
  headers: Readonly<Record<string, string>> = {},
  status = answerStatus(answer),
): void {
  const seconds = status === 200 ? undefined : retryAfterSeconds(answer);
  send(response, status, jsonOfAnswer(answer), {
    'content-type': JSON_TYPE,
    ...headers,
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
}
