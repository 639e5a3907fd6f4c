import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Call } from '../call/signing.ts';
import { isDatabaseAway } from '../database.ts';
import { asFleetError, FleetError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

/** What a caller is told of an error: coded ones as they are, everything else as INTERNAL with the request's id. */
export function publicError(error: unknown, call: Pick<Call, 'requestId'>, log: Log): GraphQLFormattedError {
  const located = error instanceof GraphQLError ? error : undefined;
  const cause = located?.originalError ?? error;
  const coded = asFleetError(error) ?? (isDatabaseAway(cause) ? away() : isCancelled(cause) ? late() : undefined);
  const path = located?.path ? { path: located.path } : {};
  const isRequest = located && !located.originalError && !coded;
  if (!coded && !isRequest)
    log.error('request.failed', { requestId: call.requestId, error: messageOf(cause), stack: (cause as Error).stack });
  const shown =
    coded ??
    (isRequest
      ? new FleetError('BAD_INPUT', located.message)
      : new FleetError('INTERNAL', 'something went wrong here: tell us the requestId'));
  return { message: shown.message, ...path, extensions: { ...shown.extensions, requestId: call.requestId } };
}

/** PostgreSQL's QUERY_CANCELED: a statement took longer than any may, such as a search by a dear expression. */
function isCancelled(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '57014';
}

function late(): FleetError {
  return new FleetError('TIMEOUT', 'the database did not answer in time: ask for less', { retryAfterMs: 1_000 });
}

function away(): FleetError {
  return new FleetError('SUBGRAPH_UNAVAILABLE', 'the database is away, try again', { retryAfterMs: 1_000 });
}
