import type { Registry } from 'prom-client';
import { gauge, type Reading } from '../metrics/gauges.ts';
import type { Guard } from './guard.ts';
import type { Lane } from './lane.ts';
import type { Replica } from './replica.ts';

const BREAKER_VALUE = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const;

/** Tells what stands before each subgraph and each of its replicas, read at a scrape. Replicas are told by number: no address. */
export function registerGuardMetrics(registry: Registry, guard: Guard): void {
  const each = (name: string, help: string, of: (lane: Lane) => number) =>
    gauge(registry, {
      name,
      help,
      labelNames: ['subgraph'],
      read: () => [...guard.lanes].map(([subgraph, lane]): Reading => [{ subgraph }, of(lane)]),
    });
  each('breaker_state', 'Breaker: 0 closed, 1 half open, 2 open.', ({ circuit }) => BREAKER_VALUE[circuit.state.phase]);
  each('subgraph_in_flight', 'Calls under way.', ({ circuit }) => circuit.inFlight);
  each(
    'subgraph_in_flight_limit',
    'Calls that may be under way at once, as learned.',
    ({ bulkhead }) => bulkhead.limit,
  );
  each('subgraph_waiting', 'Calls that wait for their turn.', ({ bulkhead }) => bulkhead.waiting);
  each('subgraph_limit_per_second', 'Calls a second that are allowed.', ({ circuit }) => circuit.limitPerSecond);
  const every = (name: string, help: string, of: (replica: Replica) => number) =>
    gauge(registry, {
      name,
      help,
      labelNames: ['subgraph', 'replica'],
      *read(): Iterable<Reading> {
        for (const [subgraph, { circuit }] of guard.lanes) {
          for (const replica of circuit.replicas) {
            yield [{ subgraph, replica: String(replica.ordinal) }, of(replica)];
          }
        }
      },
    });
  every('replica_breaker_state', 'A replica’s breaker: 0 closed, 1 half open, 2 open.', ({ state }) => {
    return BREAKER_VALUE[state.phase];
  });
  every('replica_healthy', 'Whether a replica is sent calls: 1 or 0.', ({ isHealthy }) => Number(isHealthy));
  every('replica_in_flight', 'Calls under way at a replica.', ({ inFlight }) => inFlight);
}
