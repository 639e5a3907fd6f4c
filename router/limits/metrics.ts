import type { Registry } from 'prom-client';
import { counter, gauge, type Reading } from '../metrics/gauges.ts';
import { PRIORITIES } from './fair-queue.ts';
import type { Limits } from './limits.ts';
import type { QueueOutcome, Throttle } from './throttle.ts';

const OUTCOMES: readonly QueueOutcome[] = ['waited', 'shed', 'refused', 'expired', 'left'];

/** Tells what the limits decided; counted as plain numbers, read at a scrape. */
export function registerLimitMetrics(registry: Registry, limits: Limits, throttle: Throttle): void {
  queueMetrics(registry, throttle);
  gauge(registry, {
    name: 'limit_store_away',
    help: 'Whether the store that routers share their limits in is away, and this one counts alone: 0 or 1.',
    read: () => [[{}, limits.isStoreAway ? 1 : 0]],
  });
  counter(registry, {
    name: 'limit_decisions_total',
    help: 'Calls that a limit admitted, refused, or would have refused but for its dry run.',
    labelNames: ['class', 'outcome'],
    *read(): Iterable<Reading> {
      for (const [name, { admitted, refused, wouldRefuse }] of limits.decisions.all()) {
        yield [{ class: name, outcome: 'admitted' }, admitted];
        yield [{ class: name, outcome: 'refused' }, refused];
        yield [{ class: name, outcome: 'would_refuse' }, wouldRefuse];
      }
    },
  });
}

function queueMetrics(registry: Registry, throttle: Throttle): void {
  gauge(registry, {
    name: 'operations_in_flight',
    help: 'Queries and mutations that run.',
    read: () => [[{}, throttle.running]],
  });
  gauge(registry, {
    name: 'operations_in_flight_limit',
    help: 'Queries and mutations that may run at the same time now: fewer while the event loop has too much to do.',
    read: () => [[{}, throttle.capacity]],
  });
  gauge(registry, {
    name: 'queue_waiting',
    help: 'Queries and mutations that wait for their turn.',
    labelNames: ['priority'],
    read: () => PRIORITIES.map((priority): Reading => [{ priority }, throttle.waitingOf(priority)]),
  });
  counter(registry, {
    name: 'queue_outcomes_total',
    help: 'What became of operations that there was no room for at once.',
    labelNames: ['priority', 'outcome'],
    *read(): Iterable<Reading> {
      for (const priority of PRIORITIES) {
        for (const outcome of OUTCOMES) yield [{ priority, outcome }, throttle.countOf(priority, outcome)];
      }
    },
  });
  counter(registry, {
    name: 'queue_waited_seconds_total',
    help: 'Time that operations waited before they ran, together.',
    read: () => [[{}, throttle.waitedMs / 1_000]],
  });
}
