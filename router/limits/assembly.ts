import type { RouterOptions } from '../options.ts';
import { InsuredStore } from './insured-store.ts';
import { Limits } from './limits.ts';
import { MemoryStore } from './memory-store.ts';
import { PostgresStore } from './postgres-store.ts';
import { RedisStore } from './redis-store.ts';
import type { LimitStore } from './store.ts';

/** The limits of a router, as its options have them. */
export function makeLimits(options: RouterOptions): Limits {
  const { clock, log, limits } = options;
  return new Limits({
    rates: {
      ...(limits?.clientPerSecond === undefined ? {} : { requestsPerSecond: limits.clientPerSecond }),
      ...limits?.rates,
    },
    store: storeOf(options),
    dryRun: limits?.dryRun,
    clock,
    log,
  });
}

/** What routers share, by its address; a bucket of their own where there is none. */
function storeOf({ limitStoreUrl, redisUrl, clock, log }: RouterOptions): LimitStore | undefined {
  const url = limitStoreUrl ?? redisUrl;
  if (url === undefined) return undefined;
  const onAway = (reason: string) => log.debug('limits.store.lost', { reason });
  const shared = /^postgres/.test(url) ? new PostgresStore(url, onAway) : new RedisStore(url, onAway);
  return new InsuredStore(shared, new MemoryStore(clock), clock, log);
}
