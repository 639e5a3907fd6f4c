import type { Settings } from '../../lib/settings/index.ts';
import { GUARD_LIMITS, type GuardLimits, type SubgraphPolicy } from './lane.ts';

/** The guard's limits as the settings have them. */
export function guardLimitsIn(settings: Settings): GuardLimits {
  return {
    ...GUARD_LIMITS,
    timeoutMs: settings.FLEET_SUBGRAPH_TIMEOUT_MS,
    limitPerSecond: settings.FLEET_SUBGRAPH_RPS,
    bulkhead: {
      ...GUARD_LIMITS.bulkhead,
      initial: settings.FLEET_SUBGRAPH_IN_FLIGHT,
      most: Math.max(settings.FLEET_SUBGRAPH_IN_FLIGHT, settings.FLEET_SUBGRAPH_MAX_IN_FLIGHT),
      waitMs: settings.FLEET_SUBGRAPH_WAIT_MS,
    },
    retry: { ...GUARD_LIMITS.retry, percent: settings.FLEET_SUBGRAPH_RETRY_PERCENT },
  };
}

/** Subgraph → what it is to the whole, where the settings say so. */
export function policiesIn({ FLEET_SUBGRAPHS }: Settings): Record<string, SubgraphPolicy> {
  return FLEET_SUBGRAPHS;
}

/** Subgraph → its replicas' addresses, where the settings name them. */
export function replicasIn({ FLEET_SUBGRAPHS }: Settings): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(FLEET_SUBGRAPHS).flatMap(([subgraph, { urls }]) => (urls ? [[subgraph, urls]] : [])),
  );
}
