import { standardFlags } from '../../lib/flags/index.ts';
import type { RouterOptions } from '../options.ts';
import { plainWire, signedWire } from '../wire/wire.ts';
import { BreakerAgreement } from './agreement.ts';
import { GUARD_LIMITS, Guard } from './guard.ts';
import type { DrawCall } from './lane.ts';

/** A guard at work, and how to end it. */
export interface AssembledGuard {
  guard: Guard;
  close(): void;
}

/**
 * @param subgraphs name → address as the supergraph gives it, of those that are called over the wire
 * @param drawCall counts calls over all routers
 */
export function assembleGuard(
  subgraphs: Iterable<readonly [string, string]>,
  drawCall: DrawCall,
  { houses, replicas, policies, limits, clock, log, redisUrl, flags = standardFlags() }: RouterOptions,
): AssembledGuard {
  const guard = new Guard({
    wireOf(subgraph, url) {
      const house = houses?.[subgraph];
      return house ? signedWire(house, url) : plainWire(url);
    },
    limits: { ...GUARD_LIMITS, ...limits?.guard },
    policies,
    stale: limits?.stale,
    clock,
    drawCall,
    mayServeStale: ({ principal }) => flags.isOn('router.stale-if-error', principal),
    mayRetry: ({ principal }) => flags.isOn('router.retries', principal),
  });
  guard.onMove((move) => log.warn('breaker.moved', { ...move }));
  for (const [subgraph, given] of subgraphs) {
    guard.setReplicas(subgraph, replicas?.[subgraph] ?? [houses?.[subgraph]?.url ?? given]);
  }
  const agreement = redisUrl === undefined ? undefined : new BreakerAgreement({ guard, redisUrl, clock, log, flags });
  return {
    guard,
    close() {
      agreement?.close();
      guard.close();
    },
  };
}
