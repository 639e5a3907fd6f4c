import type { IncomingHttpHeaders } from 'node:http';
import { FleetError } from '../../lib/errors.ts';
import type { GraphRequest } from '../engine.ts';
import { isShallow } from '../guard/json-depth.ts';
import { HttpRefusal } from './body.ts';

/** Variables and extensions nest at most this deep. */
const MAX_JSON_DEPTH = 64;
/** Headers that a browser sends to a foreign site only after asking it: whoever sends one is no mere link or form. */
const CSRF_HEADERS = ['x-fleet-csrf', 'apollo-require-preflight'] as const;
const SIMPLE_TYPES = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(;|$)/i;

/** @throws HttpRefusal 415 unless the body is JSON in UTF-8 */
export function requireJson(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? '';
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase();
  const isJson = /^application\/json\s*(;|$)/i.test(type) && (charset === undefined || charset === 'utf-8');
  const packed = headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity';
  if (isJson && !packed) return;
  throw new HttpRefusal(415, new FleetError('BAD_INPUT', 'send content-type: application/json in UTF-8, not packed'));
}

/** @throws BAD_INPUT for a GET that any web page could make a browser send */
export function requireCsrfHeader(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (CSRF_HEADERS.some((name) => headers[name] !== undefined) || (type && !SIMPLE_TYPES.test(type))) return;
  throw new FleetError('BAD_INPUT', 'a GET needs the header x-fleet-csrf or apollo-require-preflight, with any value');
}

/** @throws BAD_INPUT naming what is wrong in the body */
export function requestInBody(text: string): GraphRequest {
  return requestIn(parseJson(text, 'the body'));
}

/** @throws BAD_INPUT naming the parameter that is wrong */
export function requestInQuery(parameters: URLSearchParams): GraphRequest {
  const json = (name: string) => {
    const text = parameters.get(name);
    return text ? parseJson(text, name) : undefined;
  };
  return requestIn({
    query: parameters.get('query') ?? undefined,
    operationName: parameters.get('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/** @throws BAD_INPUT naming the member that is wrong */
export function requestIn(given: unknown): GraphRequest {
  if (Array.isArray(given)) throw new FleetError('BAD_INPUT', 'one request at a time: batches are not taken');
  if (!isObject(given)) throw new FleetError('BAD_INPUT', 'the body is a JSON object with a query');
  const { query, operationName, variables, extensions } = given;
  if (typeof query !== 'string' || query === '') throw new FleetError('BAD_INPUT', 'query is missing, or is no text');
  if (operationName != null && typeof operationName !== 'string') {
    throw new FleetError('BAD_INPUT', 'operationName is a text');
  }
  if (variables != null && !isObject(variables)) throw new FleetError('BAD_INPUT', 'variables are an object');
  if (extensions != null && !isObject(extensions)) throw new FleetError('BAD_INPUT', 'extensions are an object');
  if (!isShallow(variables, MAX_JSON_DEPTH)) {
    throw new FleetError('QUERY_TOO_LARGE', `variables nest at most ${MAX_JSON_DEPTH} deep`);
  }
  return {
    query,
    ...(operationName ? { operationName } : {}),
    ...(variables ? { variables } : {}),
    ...(extensions?.['cost'] === true ? { wantsCost: true } : {}),
  };
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FleetError('BAD_INPUT', `${what} is no JSON`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
