import { asFleetError, FleetError } from '../../lib/errors.ts';
import { TooLarge } from '../wire/exchange.ts';
import { MalformedResponse } from '../wire/response-parser.ts';
import { MalformedAnswer } from './answer.ts';
import type { Outcome } from './pass.ts';

export const OK: Outcome = { failed: false };
export const BROKE_INSIDE: Outcome = { failed: true, reason: 'internal errors' };
export const TIME_OUT: Outcome = { failed: true, reason: 'time-out' };

/** Short words for a breaker's reason and the audit trail: never an address. */
export function reasonOf(error: unknown): string {
  if (error instanceof MalformedAnswer || error instanceof MalformedResponse) return error.message;
  const fleet = asFleetError(error);
  if (fleet?.code === 'TIMEOUT') return 'time-out';
  return error instanceof TooLarge ? 'its answer is too large' : 'it cannot be reached';
}

/** What the caller of a failed call is told. */
export function failure(subgraph: string, timedOut: boolean): FleetError {
  return timedOut
    ? new FleetError('TIMEOUT', `${subgraph} did not answer in time`, { subgraph })
    : new FleetError('SUBGRAPH_UNAVAILABLE', `${subgraph} cannot answer now`, { subgraph, retryAfterMs: 1_000 });
}
