/** What is known of a flag before anybody set it. */
export interface FlagFacts {
  /** What is on while it is on, in one sentence. */
  description: string;
  isOnByDefault: boolean;
  /** Who answers for it: a room of this tree. */
  owner: string;
  /** Version that brought it. */
  since: string;
}

/** Every flag there is. One that is not here cannot be asked for, nor set. */
export const FLAGS = {
  'router.dedup': {
    description: 'Equal queries to a subgraph that are under way at the same time share one call.',
    isOnByDefault: true,
    owner: 'router/execute',
    since: '0.1.0',
  },
  'router.shared-streams': {
    description: 'Equal subscriptions share one upstream.',
    isOnByDefault: true,
    owner: 'router/subscribe',
    since: '0.1.0',
  },
  'router.event-batching': {
    description: 'Events of a stream that wait together ask for other subgraphs’ fields together.',
    isOnByDefault: true,
    owner: 'router/subscribe',
    since: '0.1.0',
  },
  'router.apollo-fallback': {
    description: 'What the native planner cannot plan is planned by Apollo’s.',
    isOnByDefault: true,
    owner: 'router/plan',
    since: '0.1.0',
  },
  'router.stale-if-error': {
    description: 'A subgraph that is not required and fails is answered for by its last good answer.',
    isOnByDefault: true,
    owner: 'router/guard',
    since: '0.1.0',
  },
  'router.retries': {
    description:
      'A query that a subgraph failed, or that met a connection just closed, is sent once more, within its budget.',
    isOnByDefault: true,
    owner: 'router/guard',
    since: '0.1.0',
  },
  'router.breaker-agreement': {
    description: 'Routers tell each other over Redis which breakers are open.',
    isOnByDefault: true,
    owner: 'router/guard',
    since: '0.1.0',
  },
  'router.adaptive-limit': {
    description:
      'While its event loop has too much to do the router runs fewer operations at once; others wait their turn.',
    isOnByDefault: true,
    owner: 'router/limits',
    since: '0.1.0',
  },
  'router.throttle': {
    description:
      'What the router has no room for waits its fair turn; off, nothing waits and nothing is refused for want of room.',
    isOnByDefault: true,
    owner: 'router/limits',
    since: '0.1.0',
  },
  'router.canary': {
    description: 'A new schema is tried on a share of the requests before it takes all.',
    isOnByDefault: true,
    owner: 'router/schema',
    since: '0.1.0',
  },
  'router.persisted-only': {
    description: 'Where a list of operations is registered, no other operation is run.',
    isOnByDefault: true,
    owner: 'router/documents',
    since: '0.1.0',
  },
  'agents.auto-recovery': {
    description: 'An agent that fell silent or failed is restarted by itself; by share or by agent id.',
    isOnByDefault: true,
    owner: 'subgraphs/agents',
    since: '0.1.0',
  },
  'alerts.escalation': {
    description: 'Alerts go up their escalation policies; off, they wait where they are.',
    isOnByDefault: true,
    owner: 'subgraphs/alerts',
    since: '0.1.0',
  },
  'alerts.delivery': {
    description: 'Notifications are sent; off, they wait in the outbox.',
    isOnByDefault: true,
    owner: 'subgraphs/alerts',
    since: '0.1.0',
  },
  'logs.insert-grouping': {
    description: 'Log requests that come together share one durable insert; off, each has its own.',
    isOnByDefault: true,
    owner: 'subgraphs/logs',
    since: '0.1.0',
  },
  'logs.retention': {
    description: 'Logs older than their policies say are deleted.',
    isOnByDefault: true,
    owner: 'subgraphs/logs',
    since: '0.1.0',
  },
  'platform.own-logs': {
    description: 'The platform’s own log lines are sent to the logs subgraph; off, they wait in their files.',
    isOnByDefault: true,
    owner: 'cli/platform',
    since: '0.1.0',
  },
  'platform.own-traces': {
    description: 'The platform’s own spans are sent to the metrics subgraph; off, they are thrown away.',
    isOnByDefault: true,
    owner: 'cli/platform',
    since: '0.1.0',
  },
} as const satisfies Record<string, FlagFacts>;

export type FlagName = keyof typeof FLAGS;

/** All names, in the catalogue's order. */
export const FLAG_NAMES = Object.keys(FLAGS) as FlagName[];

/** Whether the catalogue has it. */
export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}
