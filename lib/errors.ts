import { GraphQLError } from 'graphql';

/** Every code a caller can meet, with what the caller may do about it. A new code is an API change: it needs a text in reference/errors.ts. */
export const ERROR_CODES = {
  BAD_INPUT: { retryable: false },
  BAD_CURSOR: { retryable: false },
  BAD_QUERY: { retryable: false },
  NOT_FOUND: { retryable: false },
  CONFLICT: { retryable: false },
  UNAUTHENTICATED: { retryable: false },
  FORBIDDEN: { retryable: false },
  INTROSPECTION_DISABLED: { retryable: false },
  IDEMPOTENCY_KEY_REUSED: { retryable: false },
  SECRET_ALREADY_SHOWN: { retryable: false },
  RATE_LIMITED: { retryable: true },
  OVERLOADED: { retryable: true },
  QUERY_TOO_LARGE: { retryable: false },
  PERSISTED_QUERY_NOT_FOUND: { retryable: false },
  PERSISTED_QUERY_NOT_SUPPORTED: { retryable: false },
  PERSISTED_QUERY_REQUIRED: { retryable: false },
  TIMEOUT: { retryable: true },
  SUBGRAPH_UNAVAILABLE: { retryable: true },
  AUDIT_UNAVAILABLE: { retryable: true },
  AUDIT_PENDING: { retryable: true },
  RESUME_GAP: { retryable: false },
  SLOW_CONSUMER: { retryable: true },
  SCHEMA_CHANGED: { retryable: true },
  ENGINE_MISSING: { retryable: false },
  INTERNAL: { retryable: false },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error the caller is meant to see. Anything else that is thrown is a bug and is masked as INTERNAL. */
export class FleetError extends GraphQLError {
  readonly code: ErrorCode;

  /**
   * @param code one of the closed list
   * @param message one sentence that says what happened and what to do
   * @param detail goes into `extensions`; `field` (string[]) names the input's path; `retryAfterMs` in milliseconds
   */
  constructor(code: ErrorCode, message: string, detail: Record<string, unknown> = {}) {
    super(message, { extensions: { code, retryable: ERROR_CODES[code].retryable, ...detail } });
    this.code = code;
  }
}

/** States an invariant. A failure is a bug in this program, never a caller's mistake. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${invariant}`);
}

/** Whether this is a FleetError, also when it comes wrapped in another GraphQLError. */
export function asFleetError(error: unknown): FleetError | undefined {
  if (error instanceof FleetError) return error;
  if (error instanceof GraphQLError && error.originalError) return asFleetError(error.originalError);
  return undefined;
}

/** What a thrown value says, for logs. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
