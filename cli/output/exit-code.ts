import { FleetFailure } from '../../sdk/index.ts';

/** Exit codes by kind of failure, for scripts (docs/cli.md). */
export const EXIT_CODE = {
  ok: 0,
  internal: 1,
  usage: 2,
  notAllowed: 3,
  notFound: 4,
  refused: 5,
  unavailable: 6,
  rateLimited: 7,
} as const;

const BY_CODE: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: EXIT_CODE.notAllowed,
  FORBIDDEN: EXIT_CODE.notAllowed,
  INTROSPECTION_DISABLED: EXIT_CODE.notAllowed,
  NOT_FOUND: EXIT_CODE.notFound,
  CONFLICT: EXIT_CODE.refused,
  BAD_INPUT: EXIT_CODE.refused,
  BAD_QUERY: EXIT_CODE.refused,
  BAD_CURSOR: EXIT_CODE.refused,
  RESUME_GAP: EXIT_CODE.refused,
  QUERY_TOO_LARGE: EXIT_CODE.refused,
  IDEMPOTENCY_KEY_REUSED: EXIT_CODE.refused,
  SECRET_ALREADY_SHOWN: EXIT_CODE.refused,
  UNREACHABLE: EXIT_CODE.unavailable,
  UNAVAILABLE: EXIT_CODE.unavailable,
  SUBGRAPH_UNAVAILABLE: EXIT_CODE.unavailable,
  AUDIT_UNAVAILABLE: EXIT_CODE.unavailable,
  OVERLOADED: EXIT_CODE.unavailable,
  TIMEOUT: EXIT_CODE.unavailable,
  AUDIT_PENDING: EXIT_CODE.unavailable,
  SLOW_CONSUMER: EXIT_CODE.unavailable,
  SCHEMA_CHANGED: EXIT_CODE.unavailable,
  ENGINE_MISSING: EXIT_CODE.unavailable,
  RATE_LIMITED: EXIT_CODE.rateLimited,
};

/** The code that a platform's error code ends the command with. */
export function exitCodeOf(code: string): number {
  return BY_CODE[code] ?? EXIT_CODE.internal;
}

/** Says in one line on stderr what went wrong, and with which code the command ends. */
export function explain(error: unknown): { line: string; exitCode: number } {
  if (error instanceof FleetFailure)
    return { line: `fleet: ${error.message} (${error.code})`, exitCode: exitCodeOf(error.code) };
  return { line: `fleet: ${error instanceof Error ? error.message : String(error)}`, exitCode: EXIT_CODE.internal };
}
