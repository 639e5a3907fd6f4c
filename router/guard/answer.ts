import { ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import type { GraphAnswer } from '../engine.ts';
import type { WireAnswer } from '../wire/whole-answer.ts';
import { nestsDeeper } from './nesting.ts';

/** A subgraph that answered something that cannot be used: it counts against its breaker. */
export class MalformedAnswer extends Error {}

/** It is overloaded, and says when to come again. */
export class Busy extends MalformedAnswer {
  constructor(readonly retryAfterMs: number) {
    super('it answered with status 503');
  }
}

/** An answer with more errors than this is none: nobody reads them. */
const MAX_ERRORS = 100;
/** Smaller answers are parsed in no time however they nest, bytes. */
const QUICK_BYTES = 262_144;
const MAX_DEPTH = 1_000;
const INTERNAL_CODES: ReadonlySet<unknown> = new Set(['INTERNAL', 'INTERNAL_SERVER_ERROR']);

/**
 * The GraphQL answer in an HTTP answer. Errors with a 4xx are answers too, when they are GraphQL's.
 * @throws MalformedAnswer for a 5xx, a redirect, a refused signature, another content type, or a body that is no GraphQL answer
 */
export function readGraphAnswer({ status, contentType, retryAfter, body }: WireAnswer): GraphAnswer {
  if (status === 503 && retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)) {
    throw new Busy(1_000 * Number(retryAfter));
  }
  if (status >= 500 || status === 401 || (status >= 300 && status < 400)) {
    throw new MalformedAnswer(`it answered with status ${status}`);
  }
  if (!isJsonType(contentType)) throw new MalformedAnswer('its answer is of another content type than JSON');
  if (body.length > QUICK_BYTES && nestsDeeper(body, MAX_DEPTH)) {
    throw new MalformedAnswer(`its answer nests more than ${MAX_DEPTH} deep`);
  }
  return parseAnswer(body.toString());
}

/** @throws MalformedAnswer when the text is no GraphQL answer */
export function parseAnswer(text: string): GraphAnswer {
  const answer = parseJson(text);
  if (!isObject(answer)) throw new MalformedAnswer('its answer is no object');
  const { data, errors } = answer;
  if (data !== undefined && data !== null && !isObject(data)) throw new MalformedAnswer('its data is no object');
  if (errors !== undefined && (!Array.isArray(errors) || !errors.every(isError))) {
    throw new MalformedAnswer('its errors are no list of errors');
  }
  if (errors !== undefined && errors.length > MAX_ERRORS) {
    throw new MalformedAnswer(`its answer has over ${MAX_ERRORS} errors`);
  }
  if (data === undefined && !errors?.length) throw new MalformedAnswer('its answer has neither data nor errors');
  return answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedAnswer('its answer is no JSON');
  }
}

/** application/json, or what ends in +json (RFC 6839), e.g. application/graphql-response+json. */
function isJsonType(type: string | undefined): boolean {
  if (type === undefined) return false;
  if (type.startsWith('application/json')) return true;
  const [essence = ''] = type.split(';');
  return essence.trimEnd().toLowerCase().endsWith('+json') || essence.trimEnd().toLowerCase() === 'application/json';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** By the GraphQL specification, 7.1.2: all that is looked at later is of its type. */
function isError(value: unknown): boolean {
  if (!isObject(value) || typeof value['message'] !== 'string') return false;
  const { path, extensions } = value;
  const isPath = path == null || (Array.isArray(path) && path.every(isKey));
  return isPath && (extensions == null || isObject(extensions));
}

function isKey(key: unknown): boolean {
  return typeof key === 'string' || typeof key === 'number';
}

/** Whether the subgraph itself broke while answering; what it merely refused is no fault of its. */
export function brokeInside(answer: GraphAnswer): boolean {
  return answer.errors?.some((error) => INTERNAL_CODES.has(error.extensions?.['code'])) ?? false;
}

/** The coded error that refused a stream, if the subgraph gave one. */
export function refusalIn(answer: GraphAnswer): FleetError | undefined {
  const [error] = answer.errors ?? [];
  const code = error?.extensions?.['code'];
  if (typeof code !== 'string' || !(code in ERROR_CODES)) return undefined;
  return new FleetError(code as ErrorCode, error?.message ?? 'refused', { ...error?.extensions });
}
