import type { GraphQLFormattedError } from 'graphql';
import type { Call } from '../../lib/call/signing.ts';
import { ERROR_CODES, type ErrorCode, FleetError } from '../../lib/errors.ts';
import type { AnyAnswer, GraphAnswer } from '../engine.ts';
import { StreamBatch } from '../subscribe/stream-batch.ts';
import { traceIdOf } from './trace-context.ts';

/** graphql-js proposes names near the one asked for: that would tell a schema to those who may not read it. */
const SUGGESTION = /\s*Did you mean [\s\S]*$/;
/** Things of servers, not of clients. */
const HIDDEN: ReadonlySet<string> = new Set(['stacktrace', 'exception', 'originalError', 'debugMessage']);

type Asked = Pick<Call, 'requestId' | 'traceparent'>;

/** An error as clients see it: coded, with the request's ids, without stacks, and without suggestions unless told. */
export function publicError(
  error: GraphQLFormattedError,
  call: Asked,
  otherwise: ErrorCode,
  suggests = false,
): GraphQLFormattedError {
  const { message, path, locations, extensions = {} } = error;
  const told = Object.fromEntries(Object.entries(extensions).filter(([name]) => !HIDDEN.has(name)));
  const code = typeof told['code'] === 'string' ? told['code'] : otherwise;
  const retryable = code in ERROR_CODES ? ERROR_CODES[code as ErrorCode].retryable : false;
  const traceId = traceIdOf(call.traceparent);
  return {
    message: suggests ? message : message.replace(SUGGESTION, ''),
    ...(locations ? { locations } : {}),
    ...(path ? { path } : {}),
    extensions: { retryable, ...told, code, requestId: call.requestId, ...(traceId ? { traceId } : {}) },
  };
}

/** The answer of a request that was refused before it ran. */
export function refusal(error: FleetError, call: Asked): GraphAnswer {
  return { errors: [publicError(error.toJSON(), call, error.code)] };
}

/** An answer whose errors are fit for clients. @param suggests whether the caller may read the schema's names */
export function publicAnswer<A extends AnyAnswer>(answer: A, call: Asked, suggests = false): A {
  if (!answer.errors) return answer;
  const otherwise: ErrorCode = answer.data === undefined ? 'BAD_INPUT' : 'INTERNAL';
  return { ...answer, errors: answer.errors.map((error) => publicError(error, call, otherwise, suggests)) };
}

/** As `publicAnswer`, for each item. */
export function publicBatch({ items }: StreamBatch, call: Asked): StreamBatch {
  return new StreamBatch(
    items.map((item) => (item.answer ? { ...item, answer: publicAnswer(item.answer, call) } : item)),
  );
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  INTROSPECTION_DISABLED: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  SUBGRAPH_UNAVAILABLE: 503,
  AUDIT_UNAVAILABLE: 503,
  TIMEOUT: 504,
  INTERNAL: 500,
  // Apollo's clients read these as answers: another status would be a fault of the connection to some of them.
  PERSISTED_QUERY_NOT_FOUND: 200,
  PERSISTED_QUERY_NOT_SUPPORTED: 200,
};

/** The status of a refusal with this code; whatever the caller can mend himself is 400. */
export function statusOf(code: unknown): number {
  return STATUS[code as ErrorCode] ?? 400;
}

/** The status of an answer: 200 as soon as it ran, whatever its errors. */
export function answerStatus(answer: AnyAnswer): number {
  return answer.data === undefined ? statusOf(answer.errors?.[0]?.extensions?.['code']) : 200;
}

/** How long the caller should wait, when the answer says so, whole seconds. */
export function retryAfterSeconds(answer: AnyAnswer): number | undefined {
  const [error] = answer.errors ?? [];
  const waitMs = error?.extensions?.['retryAfterMs'];
  return typeof waitMs === 'number' ? Math.max(1, Math.ceil(waitMs / 1_000)) : undefined;
}
