import { DiskWatch } from '../../lib/telemetry-store/index.ts';
import { callOf } from '../support/house.ts';
import { startMetricsHouse } from './metrics-house.ts';

test('spans and samples are refused while the disk is nearly full, with a time to come back', async () => {
  const metrics = await startMetricsHouse();
  const full = new DiskWatch({ measure: () => Promise.resolve({ freeBytes: 1, totalBytes: 1_000 }) });
  await full.look();
  metrics.telemetry.watchedBy(full);
  const span = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    name: 's',
    startTimeUnixNano: '1',
    endTimeUnixNano: '2',
  };
  const point = { timeUnixNano: '1790000000000000000', asInt: '1' };
  const bodiesOf = {
    'POST /v1/traces': { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] },
    'POST /v1/metrics': {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [point] } }] }] }],
    },
  };
  for (const [route, body] of Object.entries(bodiesOf)) {
    const answer = await metrics.client.send(route as 'POST /v1/traces', {
      call: callOf(),
      body: JSON.stringify(body),
    });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
  }
  await metrics.stop();
});
