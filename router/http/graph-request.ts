import type { IncomingHttpHeaders } from 'node:http';
import { FleetError } from '../../lib/errors.ts';
import type { ClientRequest } from '../documents/documents.ts';
import { excessIn } from '../guard/json-depth.ts';
import { HttpRefusal } from './body.ts';

/** What variables, and extensions, may be: more takes too long to be coerced and written out again. */
const JSON_LIMITS = { depth: 64, values: 50_000 };
const MAX_NAME = 256;
/** Names in a body, counted wherever they are. */
const MAX_MEMBERS = 20_000;
const QUOTE = 0x22;
/** `"":1` and a comma, characters. */
const SHORTEST_MEMBER = 5;
/** Headers that a browser sends to a foreign site only after asking it: whoever sends one is no mere link or form. */
const CSRF_HEADERS = ['x-fleet-csrf', 'apollo-require-preflight', 'x-apollo-operation-name'] as const;
const SIMPLE_TYPES = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\s*(;|$)/i;

/** @throws HttpRefusal 415 unless the body is JSON in UTF-8 */
export function requireJson(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? '';
  const charset = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1]?.toLowerCase();
  const isJson = /^application\/json\s*(;|$)/i.test(type) && (charset === undefined || charset === 'utf-8');
  if (isJson) return;
  throw new HttpRefusal(415, new FleetError('BAD_INPUT', 'send content-type: application/json in UTF-8'));
}

/** @throws BAD_INPUT for a GET that any web page could make a browser send */
export function requireCsrfHeader(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'];
  if (CSRF_HEADERS.some((name) => headers[name] !== undefined) || (type && !SIMPLE_TYPES.test(type))) return;
  throw new FleetError('BAD_INPUT', 'a GET needs the header x-fleet-csrf or apollo-require-preflight, with any value');
}

/**
 * The request in a body, or the requests of a batch. Of a member that is there twice the last one counts.
 * @param maxBatch requests that a batch may have; 0: batches are not taken
 * @throws BAD_INPUT naming what is wrong, QUERY_TOO_LARGE for a longer batch or too many members
 */
export function requestsInBody(text: string, maxBatch: number): ClientRequest | ClientRequest[] {
  if (hasTooManyMembers(text)) {
    throw new FleetError('QUERY_TOO_LARGE', `a body names at most ${MAX_MEMBERS} members`);
  }
  const given = parseJson(text, 'the body');
  if (!Array.isArray(given) || maxBatch === 0) return requestIn(given);
  if (given.length === 0) throw new FleetError('BAD_INPUT', 'a batch has at least one request');
  if (given.length > maxBatch) throw new FleetError('QUERY_TOO_LARGE', `a batch has at most ${maxBatch} requests`);
  return given.map(requestIn);
}

/** @throws BAD_INPUT naming the parameter that is wrong */
export function requestInQuery(parameters: URLSearchParams): ClientRequest {
  const text = (name: string) => {
    const [first, second] = parameters.getAll(name);
    if (second !== undefined) throw new FleetError('BAD_INPUT', `${name} is given twice`);
    return first;
  };
  const json = (name: string) => {
    const given = text(name);
    return given ? parseJson(given, name) : undefined;
  };
  return requestIn({
    query: text('query'),
    documentId: text('documentId'),
    operationName: text('operationName') || undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/** @throws BAD_INPUT naming the member that is wrong, QUERY_TOO_LARGE for what nests too deep */
export function requestIn(given: unknown): ClientRequest {
  if (Array.isArray(given)) throw new FleetError('BAD_INPUT', 'one request at a time: batches are not taken');
  if (!isObject(given)) throw new FleetError('BAD_INPUT', 'the body is a JSON object with a query');
  const { query, operationName, variables, extensions } = given;
  const documentId = documentIdIn(given['documentId'], extensions);
  // Over WebSocket a text must be there: it is empty where the name alone is meant.
  const isNamed = documentId !== undefined && (query == null || query === '');
  if (!isNamed && (typeof query !== 'string' || query === '')) {
    throw new FleetError('BAD_INPUT', 'query is missing, or is no text');
  }
  if (operationName != null && typeof operationName !== 'string') {
    throw new FleetError('BAD_INPUT', 'operationName is a text');
  }
  if (operationName && operationName.length > MAX_NAME) {
    throw new FleetError('QUERY_TOO_LARGE', `an operationName has at most ${MAX_NAME} characters`);
  }
  if (variables != null && !isObject(variables)) throw new FleetError('BAD_INPUT', 'variables are an object');
  requireModest('variables', variables);
  const request: ClientRequest = { query: isNamed ? undefined : (query as string) };
  if (operationName) request.operationName = operationName;
  if (variables) request.variables = variables;
  if (documentId !== undefined) request.documentId = documentId;
  if (isObject(extensions)) {
    if (extensions['cost'] === true) request.wantsCost = true;
    if (extensions['heartbeat'] === true) request.wantsHeartbeat = true;
    const operationId = extensions['operationId'];
    if (typeof operationId === 'string') request.operationId = operationId;
  }
  return request;
}

/** By what name the text is known: Apollo's `persistedQuery`, or `documentId`. */
function documentIdIn(documentId: unknown, extensions: unknown): string | undefined {
  if (extensions != null && !isObject(extensions)) throw new FleetError('BAD_INPUT', 'extensions are an object');
  requireModest('extensions', extensions);
  const persisted = extensions?.['persistedQuery'];
  if (persisted == null && documentId == null) return undefined;
  const { version = 1, sha256Hash = documentId } = isObject(persisted) ? persisted : {};
  if (version !== 1 || typeof sha256Hash !== 'string' || sha256Hash === '' || sha256Hash.length > MAX_NAME) {
    throw new FleetError('BAD_INPUT', 'a persistedQuery is { "version": 1, "sha256Hash": "…" }');
  }
  return sha256Hash.replace(/^sha256:/, '');
}

/** Told before it is read: an object of very many names takes longer to make than a whole request may. */
export function hasTooManyMembers(text: string): boolean {
  if (text.length < MAX_MEMBERS * SHORTEST_MEMBER) return false;
  let members = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) if (endsName(text, at)) members += 1;
  return members > MAX_MEMBERS;
}

/** Whether a name ends before this colon, with or without white space between them. */
function endsName(text: string, colon: number): boolean {
  let at = colon - 1;
  let code = text.charCodeAt(at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(--at);
  return code === QUOTE;
}

function requireModest(what: string, value: unknown): void {
  const excess = excessIn(value, JSON_LIMITS);
  if (!excess) return;
  if (excess === 'unicode') {
    throw new FleetError('BAD_INPUT', `${what} hold half a character: \\ud800 to \\udfff stand in pairs`);
  }
  if (excess === 'numbers') throw new FleetError('BAD_INPUT', `${what} hold a number beyond 1.8e308`);
  const limit =
    excess === 'depth' ? `nest at most ${JSON_LIMITS.depth} deep` : `hold at most ${JSON_LIMITS.values} values`;
  throw new FleetError('QUERY_TOO_LARGE', `${what} ${limit}`);
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
