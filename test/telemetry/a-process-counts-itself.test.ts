import { Counter, Gauge, Histogram } from 'prom-client';
import { openProcessMetrics } from '../../lib/process-metrics.ts';

test('a registry is text for Prometheus and samples for our own store', async () => {
  const metrics = openProcessMetrics('state');
  const calls = new Counter({ name: 'calls_total', help: 'c', labelNames: ['house'], registers: [metrics.registry] });
  calls.inc({ house: 'agents' }, 2);
  const lag = new Gauge({ name: 'lag', help: 'l', registers: [metrics.registry] });
  lag.set(Number.NaN);
  const took = new Histogram({ name: 'took', help: 't', buckets: [1], registers: [metrics.registry] });
  took.observe(0.5);

  expect(await metrics.text()).toContain('calls_total{house="agents",process="state"} 2');
  const samples = await metrics.samples(5);
  expect(samples).toContainEqual({
    metric: 'calls_total',
    labels: { house: 'agents', process: 'state' },
    timeMs: 5,
    value: 2,
    type: 'COUNTER',
  });
  expect(samples).toContainEqual({
    metric: 'took_bucket',
    labels: { le: '1', process: 'state' },
    timeMs: 5,
    value: 1,
    type: 'HISTOGRAM',
  });
  expect(samples.some(({ metric }) => metric === 'lag')).toBe(false);
  expect(samples.some(({ metric }) => metric === 'nodejs_eventloop_lag_p99_seconds')).toBe(true);
  metrics.registry.clear();
});
