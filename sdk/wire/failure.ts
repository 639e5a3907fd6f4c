/** One error of a GraphQL answer, as the platform sends it. */
export interface GraphQLFault {
  /** What is wrong, in a sentence. */
  message: string;
  /** Where in the answer it belongs to. */
  path?: (string | number)[];
  /** Its code (docs/errors.md), whether and when to try again, and the request’s id for who is asked for help. */
  extensions?: { code?: string; retryable?: boolean; retryAfterMs?: number; cursor?: string; requestId?: string };
}

/** A call that did not do what was asked. `code` is the platform's, or UNREACHABLE when nobody answered. */
export class FleetFailure extends Error {
  /** One of the codes in docs/errors.md, `UNREACHABLE` or `UNAVAILABLE`. */
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How long the platform asks to wait, milliseconds; 0 when it does not say. */
  readonly retryAfterMs: number;
  /** All errors of the answer; none when nobody answered. */
  readonly faults: readonly GraphQLFault[];

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number; faults?: GraphQLFault[] } = {},
  ) {
    super(message);
    this.name = 'FleetFailure';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.faults = options.faults ?? [];
  }

  /** The failure that the errors of an answer without data state. */
  static ofFaults(faults: GraphQLFault[], fallbackCode = 'INTERNAL'): FleetFailure {
    const first = faults[0];
    const { code = fallbackCode, retryable = false, retryAfterMs = 0 } = first?.extensions ?? {};
    return new FleetFailure(code, first?.message ?? 'the answer has neither data nor errors', {
      retryable,
      retryAfterMs,
      faults,
    });
  }

  /** The failure that an HTTP status states when the body says nothing better. */
  static ofStatus(status: number, retryAfter: string | null, body: string): FleetFailure {
    const faults = faultsOf(body);
    const stated = faults[0]?.extensions;
    return new FleetFailure(
      stated?.code ?? codeOfStatus(status),
      faults[0]?.message ?? `the platform answered ${status}`,
      {
        retryable: stated?.retryable ?? (status === 408 || status === 429 || status >= 500),
        retryAfterMs: stated?.retryAfterMs ?? secondsToMs(retryAfter),
        faults,
      },
    );
  }
}

function codeOfStatus(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 429) return 'RATE_LIMITED';
  return status >= 500 ? 'UNAVAILABLE' : 'BAD_INPUT';
}

function secondsToMs(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

function faultsOf(body: string): GraphQLFault[] {
  try {
    const answer = JSON.parse(body) as { errors?: GraphQLFault[] } | null;
    return Array.isArray(answer?.errors) ? answer.errors : [];
  } catch {
    return [];
  }
}
