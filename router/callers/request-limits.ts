import type { Redis } from 'ioredis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Principal } from '../../lib/call/principal.ts';
import { FleetError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { BoundedMap } from './bounded-map.ts';

/** Where a client stands in its rate of one second. */
export interface LimitStanding {
  /** Requests a second. */
  limit: number;
  used: number;
  remaining: number;
  /** Until it starts anew, milliseconds. */
  resetMs: number;
}

export interface RequestLimitsOptions {
  /** Requests a second of a client without a rate of its own. */
  perSecond: number;
  /** Routers with the same Redis count together; while it is away each counts alone. */
  redisUrl?: string | undefined;
  log: Log;
}

/** What a client without a limit is told: as many as fit an Int. */
const UNLIMITED: LimitStanding = { limit: 2 ** 31 - 1, used: 0, remaining: 2 ** 31 - 1, resetMs: 0 };
const KEY_PREFIX = 'fleet:requests';
/** Distinct rates that are kept apart; a rate nobody used lately starts its counts anew. */
const RATES = 1_000;

/** Requests a second of each client, counted atomically. */
export class RequestLimits {
  readonly #limiters = new BoundedMap<number, RateLimiterAbstract>(RATES);
  readonly #redis: Redis | undefined;

  /** Connects to Redis, if there is one; does not wait for it. */
  constructor(private readonly options: RequestLimitsOptions) {
    const { redisUrl, log } = options;
    if (!redisUrl) return;
    // Loaded only where it is used: it takes a tenth of a second of the start.
    const { Redis } = require('ioredis') as typeof import('ioredis');
    this.#redis = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 250 });
    this.#redis.on('error', (error: Error) => log.debug('limits.redis.away', { error: error.message }));
  }

  /**
   * Counts one request.
   * @throws RATE_LIMITED with `retryAfterMs` beyond the client's rate
   */
  async take(principal: Principal): Promise<LimitStanding> {
    const limit = this.#limitOf(principal);
    if (limit === Number.POSITIVE_INFINITY) return UNLIMITED;
    try {
      return standing(limit, await this.#limiter(limit).consume(principal.id));
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const retryAfterMs = Math.max(1, Math.ceil(refused.msBeforeNext));
      throw new FleetError('RATE_LIMITED', `you have made your ${limit} requests of this second`, {
        retryAfterMs,
        limit,
      });
    }
  }

  /** Reads without counting. */
  async peek(principal: Principal): Promise<LimitStanding> {
    const limit = this.#limitOf(principal);
    if (limit === Number.POSITIVE_INFINITY) return UNLIMITED;
    const found = await this.#limiter(limit).get(principal.id);
    return found ? standing(limit, found) : { limit, used: 0, remaining: limit, resetMs: 0 };
  }

  close(): void {
    this.#redis?.disconnect();
  }

  #limitOf(principal: Principal): number {
    return Math.max(1, Math.round(principal.requestsPerSecond ?? this.options.perSecond));
  }

  #limiter(points: number): RateLimiterAbstract {
    const known = this.#limiters.get(points);
    if (known) return known;
    const rate = { points, duration: 1, keyPrefix: KEY_PREFIX };
    const memory = new RateLimiterMemory(rate);
    const limiter = this.#redis
      ? new RateLimiterRedis({
          ...rate,
          storeClient: this.#redis,
          insuranceLimiter: memory,
          rejectIfRedisNotReady: true,
        })
      : memory;
    this.#limiters.set(points, limiter);
    return limiter;
  }
}

function standing(limit: number, found: RateLimiterRes): LimitStanding {
  const used = Math.min(limit, found.consumedPoints);
  return { limit, used, remaining: limit - used, resetMs: Math.max(0, Math.ceil(found.msBeforeNext)) };
}

/** The headers that tell a standing (draft-ietf-httpapi-ratelimit-headers). */
export function limitHeaders({ limit, remaining, resetMs }: LimitStanding): Record<string, string> {
  return {
    ratelimit: `"requests";r=${remaining};t=${Math.ceil(resetMs / 1_000)}`,
    'ratelimit-policy': `"requests";q=${limit};w=1`,
  };
}
