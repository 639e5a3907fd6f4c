import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadAccessTable } from '../../lib/access.ts';
import { nodeId } from '../../lib/node-id.ts';
import { openTelemetryStore, type TelemetryStore } from '../../lib/telemetry-store/index.ts';
import { entities as alertEntities, alertsSubgraph } from '../../subgraphs/alerts/index.ts';
import { entities as metricEntities, metricsSubgraph } from '../../subgraphs/metrics/index.ts';
import { type AnyShape, startTestHouse, type TestHouse } from '../support/house.ts';
import { until } from '../support/until.ts';
import { ingest, type LogsHouse, startLogsHouse } from './support.ts';

const APPLY = `mutation ($input: LogMetricInput!) {
  applyLogMetric(input: $input) {
    metric { name version kind filter value by buckets maxSeries } changes { op path } userErrors { code message field } auditEntry { id }
  }
}`;
const PROGRESS = '{ logMetrics { name version progress { countedUntil series isOverflowing } } }';
const SERIES = `query ($query: SeriesQuery!) { series(query: $query) { series { labels times values } } }`;
const EVERY = { FLEET_LOG_METRICS_MS: 200 };

let telemetry: TelemetryStore;
let metrics: TestHouse;
let logs: LogsHouse;

beforeAll(async () => {
  telemetry = await openTelemetryStore({ path: path.join(mkdtempSync(path.join(tmpdir(), 'log-metrics-')), 'store') });
  metrics = await startTestHouse({ name: 'metrics', entities: metricEntities, make: metricsSubgraph, telemetry });
  logs = await startLogsHouse({ telemetry, addresses: { metrics: metrics.url }, settings: EVERY });
});
afterAll(async () => {
  await metrics.stop();
  await logs.close();
});

async function apply(input: object): Promise<AnyShape> {
  return (await logs.ask(APPLY, { input })).data.applyLogMetric;
}

/** The newest value of each series, by its labels as text. */
async function newest(metric: string): Promise<Record<string, number>> {
  const { data } = await metrics.ask(SERIES, { query: { metric, maxPoints: 1 } });
  const series: { labels: Record<string, string>; values: (number | null)[] }[] = data.series.series;
  return Object.fromEntries(series.map(({ labels, values }) => [JSON.stringify(labels), values.at(-1) as number]));
}

/** Waits until the newest values are these. */
async function becomes(metric: string, wanted: Record<string, number>): Promise<void> {
  let found: Record<string, number> = {};
  const same = async () => {
    found = await newest(metric);
    return JSON.stringify(Object.entries(found).sort()) === JSON.stringify(Object.entries(wanted).sort());
  };
  await until(same).catch(() => expect(found).toEqual(wanted));
}

const times = (count: number, record: object) => Array.from({ length: count }, () => ({ body: 'x', ...record }));

describe('a counter', () => {
  test('counts what is stored from then on, by its labels; what it grew by is all of it, from nothing on', async () => {
    const agentId = nodeId('Agent', '01890000-0000-7000-8000-000000000001');
    await ingest(logs, times(5, { service: 'early', severity: 'ERROR', body: 'counts' }));
    const input = { name: 'fails_total', kind: 'COUNTER', filter: { query: 'counts', minSeverity: 'ERROR' } };
    expect(await apply({ ...input, by: ['service', 'severity', 'agent', 'attributes.http.status'] })).toMatchObject({
      metric: { version: 1, filter: input.filter, maxSeries: 100, buckets: [] },
      userErrors: [],
      auditEntry: { id: expect.any(String) },
    });
    await ingest(logs, [
      ...times(3, { service: 'a', severity: 'ERROR', body: 'counts', attributes: { http: { status: 500 } } }),
      ...times(2, { service: 'a', severity: 'FATAL', body: 'counts', agentId }),
      ...times(4, { service: 'a', severity: 'WARN', body: 'counts' }),
      ...times(4, { service: 'a', severity: 'ERROR', body: 'other' }),
    ]);
    const first = JSON.stringify({ http_status: '500', service: 'a', severity: 'ERROR' });
    const second = JSON.stringify({ agent_id: agentId, service: 'a', severity: 'FATAL' });
    await becomes('fails_total', { [first]: 3, [second]: 2 });
    await ingest(
      logs,
      times(4, { service: 'a', severity: 'ERROR', body: 'counts', attributes: { 'http.status': '500' } }),
    );
    await becomes('fails_total', { [first]: 7, [second]: 2 });
    const { data } = await metrics.ask(SERIES, {
      query: { metric: 'fails_total', overTime: 'DELTA', window: 'PT10M', maxPoints: 1, across: 'SUM' },
    });
    // From a first sample of zero: without it the first entries would not be growth.
    expect(data.series.series[0].values[0]).toBeGreaterThanOrEqual(9);
    const known = await metrics.ask('{ metrics(match: "fails_total") { nodes { name type labels series } } }');
    expect(known.data.metrics.nodes).toEqual([
      { name: 'fails_total', type: 'COUNTER', labels: ['agent_id', 'http_status', 'service', 'severity'], series: 2 },
    ]);
  });

  test('has at most so many series: what is beyond is one more, and told', async () => {
    await apply({
      name: 'many_total',
      kind: 'COUNTER',
      filter: { query: 'flood' },
      by: ['attributes.user'],
      maxSeries: 3,
    });
    await ingest(
      logs,
      Array.from({ length: 40 }, (_, user) => ({ body: 'flood', attributes: { user: user % 20 } })),
    );
    await until(async () => (await newest('many_total'))['{"otel_metric_overflow":"true"}'] === 34);
    const values = Object.values(await newest('many_total'));
    expect(values.sort((a, b) => a - b)).toEqual([2, 2, 2, 34]);
    const { data } = await logs.ask(PROGRESS);
    const { progress } = data.logMetrics.find(({ name }: { name: string }) => name === 'many_total');
    expect(progress).toMatchObject({ series: 4, isOverflowing: true });
    expect(Date.parse(progress.countedUntil)).toBeGreaterThan(0);
  });
});

test('a histogram and a gauge of a number that entries say; what is no number is left out', async () => {
  await apply({
    name: 'took_ms',
    kind: 'HISTOGRAM',
    filter: { query: 'took' },
    value: 'attributes.ms',
    buckets: [10, 100],
  });
  await apply({ name: 'depth', kind: 'GAUGE', filter: { query: 'took' }, value: 'attributes.depth', by: ['service'] });
  await ingest(logs, [
    { body: 'took', time: '2026-01-01T00:00:02Z', service: 'q', attributes: { ms: 5, depth: 3 } },
    { body: 'took', time: '2026-01-01T00:00:01Z', service: 'q', attributes: { ms: '50.5', depth: 9 } },
    { body: 'took', service: 'q', attributes: { ms: 1000 } },
    { body: 'took', service: 'q', attributes: { ms: 'long' } },
    { body: 'took', service: 'q', attributes: { depth: null } },
  ]);
  await becomes('took_ms_bucket', { '{"le":"10"}': 1, '{"le":"100"}': 2, '{"le":"+Inf"}': 3 });
  await becomes('took_ms_sum', { '{}': 1055.5 });
  await becomes('took_ms_count', { '{}': 3 });
  await becomes('depth', { '{"service":"q"}': 3 });
});

test('another definition begins anew; another description does not; a search by name is asked by its name', async () => {
  await logs.ask(
    'mutation { applySavedLogSearch(input: { name: "blue", query: "colour AND blue" }) { userErrors { code } } }',
  );
  const input = { name: 'colours_total', kind: 'COUNTER', filter: { savedSearch: 'blue' } };
  expect(await apply(input)).toMatchObject({ metric: { version: 1 }, changes: [{ op: 'add', path: '' }] });
  await ingest(logs, times(3, { body: 'colour blue' }));
  await becomes('colours_total', { '{}': 3 });
  expect(await apply({ ...input, description: 'blue ones' })).toMatchObject({ metric: { version: 2 } });
  expect(await apply({ ...input, description: 'blue ones' })).toMatchObject({ metric: { version: 2 }, changes: [] });
  await ingest(logs, times(2, { body: 'colour blue' }));
  await becomes('colours_total', { '{}': 5 });
  expect(await apply({ ...input, filter: { query: 'colour' }, expectedVersion: 2 })).toMatchObject({
    metric: { version: 3, filter: { query: 'colour' } },
  });
  await ingest(logs, times(1, { body: 'colour red' }));
  await becomes('colours_total', { '{}': 1 });
  const gone = await logs.ask(
    'mutation { deleteLogMetric(input: { name: "colours_total" }) { name userErrors { code } } }',
  );
  expect(gone.data.deleteLogMetric).toEqual({ name: 'colours_total', userErrors: [] });
  expect((await logs.ask(PROGRESS)).data.logMetrics.map(({ name }: { name: string }) => name)).not.toContain(
    'colours_total',
  );
});

test.each([
  [{ name: '1st', kind: 'COUNTER' }, ['name']],
  [{ name: 'x', kind: 'COUNTER', value: 'attributes.ms' }, ['value']],
  [{ name: 'x', kind: 'GAUGE' }, ['value']],
  [{ name: 'x', kind: 'GAUGE', value: 'service' }, ['value']],
  [{ name: 'x', kind: 'COUNTER', by: ['traceId'] }, ['by']],
  [{ name: 'x', kind: 'COUNTER', by: ['attributes.le'] }, ['by']],
  [{ name: 'x', kind: 'COUNTER', by: [`attributes.${'x'.repeat(129)}`] }, ['by']],
  [{ name: 'x', kind: 'COUNTER', by: ['attributes.a.b', 'attributes.a_b'] }, ['by']],
  [{ name: 'x', kind: 'COUNTER', by: ['service', 'a', 'b', 'c', 'd', 'e'] }, ['by']],
  [{ name: 'x', kind: 'COUNTER', buckets: [1] }, ['buckets']],
  [{ name: 'x', kind: 'HISTOGRAM', value: 'attributes.ms', buckets: [2, 1] }, ['buckets']],
  [{ name: 'x', kind: 'COUNTER', maxSeries: 1_001 }, ['maxSeries']],
  [{ name: 'x', kind: 'COUNTER', description: 'x'.repeat(2_001) }, ['description']],
  [{ name: 'x', kind: 'COUNTER', filter: { range: { last: 'PT1H' } } }, ['filter', 'range']],
])('refused with the field: %j', async (input, field) => {
  const { metric, userErrors, auditEntry } = await apply(input);
  expect([metric, userErrors]).toEqual([
    null,
    [expect.objectContaining({ code: 'BAD_INPUT', field: ['input', ...field] })],
  ]);
  expect(auditEntry.id).toBeTruthy();
});

test('a search that is none, or a saved one that there is not, is told', async () => {
  expect((await apply({ name: 'x', kind: 'COUNTER', filter: { query: '(' } })).userErrors[0].code).toBe('BAD_QUERY');
  expect((await apply({ name: 'x', kind: 'COUNTER', filter: { savedSearch: 'none' } })).userErrors[0].code).toBe(
    'NOT_FOUND',
  );
});

test('an alert rule works over it as over any metric, and one that counts the log by the name of a search', async () => {
  const alerts = await startTestHouse({
    name: 'alerts',
    entities: alertEntities,
    make: alertsSubgraph,
    addresses: { metrics: metrics.url, logs: logs.url },
    access: { Agent: ['viewer'], Trace: ['viewer'], ...loadAccessTable(path.resolve(__dirname, '../..')) },
  });
  try {
    await apply({ name: 'declined_total', kind: 'COUNTER', filter: { query: 'declined' }, by: ['service'] });
    const query = {
      metric: 'declined_total',
      overTime: 'INCREASE',
      window: 'PT5M',
      range: { last: 'PT1M' },
      maxPoints: 1,
    };
    const rule = { name: 'declined', severity: 'CRITICAL', every: 'PT1S', condition: { metric: { query, above: 4 } } };
    const applied = await alerts.ask(
      'mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { message } } }',
      { input: rule },
    );
    expect(applied).toEqual({ data: { applyAlertRule: { userErrors: [] } } });
    await ingest(logs, [...times(6, { body: 'declined', service: 'cards' }), { body: 'declined', service: 'cash' }]);
    const firing = await until(async () => {
      const { data } = await alerts.ask('{ alerts(filter: { names: ["declined"] }) { nodes { state labels } } }');
      return data.alerts.nodes.length > 0 && data.alerts.nodes;
    });
    expect(firing).toEqual([{ state: 'FIRING', labels: expect.objectContaining({ service: 'cards' }) }]);
    const counted = { filter: { savedSearch: 'blue' }, window: 'PT1H', above: 2 };
    const named = await alerts.ask(
      'mutation ($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { message } } }',
      { input: { name: 'blue', severity: 'INFO', every: 'PT1S', condition: { logs: counted } } },
    );
    expect(named).toEqual({ data: { applyAlertRule: { userErrors: [] } } });
    await until(async () => {
      const { data } = await alerts.ask('{ alerts(filter: { names: ["blue"] }) { nodes { state } } }');
      return data.alerts.nodes[0]?.state === 'FIRING';
    });
  } finally {
    await alerts.stop();
  }
});
