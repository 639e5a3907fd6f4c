import type { Registry } from 'prom-client';
import { counter, type Reading } from '../metrics/gauges.ts';
import type { Limits } from './limits.ts';

/** Tells what the limits decided; counted as plain numbers, read at a scrape. */
export function registerLimitMetrics(registry: Registry, limits: Limits): void {
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
