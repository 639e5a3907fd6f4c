import { type GraphQLRateLimitDirectiveArgs, getFieldIdentity } from 'graphql-rate-limit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { createMethodMiddlewareDecorator } from 'type-graphql';
import { FleetError } from './errors.ts';
import { durationMs } from './graphql/scalars.ts';
import type { HouseContext } from './subgraph.ts';

/** The arguments of graphql-rate-limit's directive that apply here; `window` is an ISO 8601 duration. */
export type FieldLimit = Required<Pick<GraphQLRateLimitDirectiveArgs, 'max' | 'window'>> &
  Pick<GraphQLRateLimitDirectiveArgs, 'identityArgs'>;

/**
 * Limits one field per caller in this process, on top of the router's limits. graphql-rate-limit names the bucket;
 * an atomic counter decides, because its own lets concurrent calls through (docs/decisions/0004).
 * @throws RATE_LIMITED with `retryAfterMs`
 */
export function RateLimit({ max, window, identityArgs = [] }: FieldLimit): MethodDecorator {
  const duration = (durationMs(window) ?? 0) / 1_000;
  const counter = new RateLimiterMemory({ points: max, duration });
  return createMethodMiddlewareDecorator<HouseContext>(async ({ args, context, info }, next) => {
    const bucket = getFieldIdentity(info.fieldName, identityArgs, args);
    try {
      await counter.consume(`${context.call.principal.id} ${bucket}`);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterMs = refusal.msBeforeNext;
      throw new FleetError('RATE_LIMITED', `at most ${max} calls of ${info.fieldName} in ${window}`, { retryAfterMs });
    }
    return next();
  });
}
