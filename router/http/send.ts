import type { ServerResponse } from 'node:http';
import type { GraphAnswer } from '../engine.ts';
import { answerStatus, retryAfterSeconds } from './public-errors.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const GRAPHQL_TYPE = 'application/graphql-response+json; charset=utf-8';

/** Headers that every answer has. */
export const PLAIN_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/** Sends a whole answer, unless the client has left or was answered. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...PLAIN_HEADERS, ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Sends a JSON document that is no GraphQL answer. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, JSON.stringify(body), { 'content-type': JSON_TYPE });
}

/** Sends a GraphQL answer with the status and the waiting time that belong to it. */
export function sendAnswer(
  response: ServerResponse,
  answer: GraphAnswer,
  headers: Readonly<Record<string, string>> = {},
  status = answerStatus(answer),
): void {
  const seconds = status === 200 ? undefined : retryAfterSeconds(answer);
  send(response, status, JSON.stringify(answer), {
    'content-type': JSON_TYPE,
    ...headers,
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
}
