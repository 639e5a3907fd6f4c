import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { agentOf, type MetricsHouse, openDoor, startMetricsHouse } from './metrics-house.ts';

let house: MetricsHouse;
let door: { url: string; close(): void };
const agent = agentOf(1);
beforeAll(async () => {
  house = await startMetricsHouse();
  door = await openDoor(house, agent);
});
afterAll(async () => {
  door.close();
  await house.stop();
});

/** Runs in a process of its own, for the exporters import what jest's VM cannot. */
const PROGRAM = `
  const [url, service, kind] = process.argv.slice(1);
  const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-' + kind);
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-' + kind);
  const { resourceFromAttributes } = require('@opentelemetry/resources');
  const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
  const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
  const { context, trace } = require('@opentelemetry/api');
  const resource = resourceFromAttributes({ 'service.name': service, 'service.instance.id': 'i1' });
  const compression = kind === 'proto' ? 'gzip' : 'none';
  const exporter = new OTLPMetricExporter({ url: url + '/v1/metrics', compression });
  const meters = new MeterProvider({ resource, readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600000 })] });
  const meter = meters.getMeter('tests');
  meter.createCounter('jobs', { unit: '{job}', description: 'Jobs done.' }).add(7, { queue: 'a' });
  meter.createUpDownCounter('open').add(-2);
  meter.createGauge('heat').record(36.6);
  const histogram = meter.createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } });
  for (const seconds of [0.5, 1.5, 9]) histogram.record(seconds);
  const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter({ url: url + '/v1/traces', compression }), { maxQueueSize: 10000 })];
  const provider = new NodeTracerProvider({ resource, spanProcessors });
  const tracer = provider.getTracer('tests');
  for (let n = 0; n < 1000; n += 1) {
    const root = tracer.startSpan('request', { kind: 1, attributes: { n } });
    const child = tracer.startSpan('chat', { kind: 2 }, trace.setSpan(context.active(), root));
    child.addEvent('token', { n });
    if (n === 5) child.setStatus({ code: 2, message: 'refused' });
    child.end();
    root.end();
  }
  Promise.all([meters.forceFlush(), provider.forceFlush()]).then(() => Promise.all([meters.shutdown(), provider.shutdown()]));
`;

const ANSWER = `query ($jobs: SeriesQuery!, $open: SeriesQuery!, $heat: SeriesQuery!, $bucket: SeriesQuery!, $sum: SeriesQuery!, $filter: TraceFilter!, $failed: TraceFilter!) {
  jobs: series(query: $jobs) { series { labels values } }
  open: series(query: $open) { series { values } }
  heat: series(query: $heat) { series { values } }
  bucket: series(query: $bucket) { series { label(name: "le") values } }
  sum: series(query: $sum) { series { values } }
  traces(filter: $filter, first: 1) { totalCount }
  failed: traces(filter: $failed) {
    totalCount
    nodes { errors services root { name kind parentSpanId } spans { name kind error attributes events service agent { id } } }
  }
}`;

test.each(['http', 'proto'])('what a stock OpenTelemetry SDK sends (%s) is all found', async (kind) => {
  const service = `sdk ${kind}`;
  const root = path.resolve(__dirname, '../..');
  await promisify(execFile)(process.execPath, ['-e', PROGRAM, door.url, service, kind], { cwd: root, timeout: 30_000 });

  const labels = [{ name: 'service', value: service }];
  const of = (metric: string) => ({ metric, labels, maxPoints: 1 });
  const answer = await house.ask(ANSWER, {
    jobs: of('jobs'),
    open: of('open'),
    heat: of('heat'),
    bucket: of('took_bucket'),
    sum: of('took_sum'),
    filter: { services: [service] },
    failed: { services: [service], errors: true },
  });
  expect(answer.errors).toBeUndefined();
  const { data } = answer;
  expect(data.jobs.series).toEqual([
    { labels: { service, instance: 'i1', queue: 'a', agent_id: agent.agentId }, values: [7] },
  ]);
  expect(data.open.series).toEqual([{ values: [-2] }]);
  expect(data.heat.series).toEqual([{ values: [36.6] }]);
  expect(data.bucket.series).toEqual([
    { label: '+Inf', values: [3] },
    { label: '1', values: [1] },
    { label: '2', values: [2] },
  ]);
  expect(data.sum.series).toEqual([{ values: [11] }]);
  expect(data.traces.totalCount).toBe(1_000);
  expect(data.failed).toEqual({
    totalCount: 1,
    nodes: [
      {
        errors: 1,
        services: [service],
        root: { name: 'request', kind: 'SERVER', parentSpanId: null },
        spans: [
          expect.objectContaining({
            name: 'request',
            error: false,
            attributes: { n: 5 },
            agent: { id: agent.agentId },
          }),
          {
            name: 'chat',
            kind: 'CLIENT',
            error: true,
            service,
            attributes: { 'otel.status_description': 'refused' },
            events: [{ time: expect.stringMatching(/^\d{4}-.*\.\d{9}Z$/), name: 'token', attributes: { n: 5 } }],
            agent: { id: agent.agentId },
          },
        ],
      },
    ],
  });
});

test('the catalogue says what each metric is', async () => {
  const { data } = await house.ask(
    '{ metrics { nodes { name type unit help labels series lastSampleAt } totalCount pageInfo { hasNextPage } } }',
  );
  const named = Object.fromEntries(data.metrics.nodes.map((node: { name: string }) => [node.name, node]));
  expect(Object.keys(named)).toEqual(['heat', 'jobs', 'open', 'took_bucket', 'took_count', 'took_sum']);
  expect(named['jobs']).toEqual({
    name: 'jobs',
    type: 'COUNTER',
    unit: '{job}',
    help: 'Jobs done.',
    labels: ['agent_id', 'instance', 'queue', 'service'],
    series: 2,
    lastSampleAt: expect.stringMatching(/Z$/),
  });
  expect(named['heat']).toMatchObject({ type: 'GAUGE', unit: null, help: null });
  expect(named['took_bucket']).toMatchObject({ type: 'HISTOGRAM', unit: 's' });
});

test('an exporter is told in its own encoding what cannot be taken', async () => {
  const scoped = (spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: 'a', startTimeUnixNano: '1000000000' };
  const ahead = { ...span, spanId: '3'.repeat(16), startTimeUnixNano: '4102444800000000000' };
  const part = await house.send('traces', scoped([span, { ...span, traceId: 'x' }, ahead]));
  expect(part.status).toBe(200);
  expect(JSON.parse(part.body).partialSuccess.rejectedSpans).toBe('2');
  const forbidden = await house.send('traces', scoped([span]), { ...agent, scopes: ['viewer'] });
  expect(forbidden.status).toBe(403);
  expect((await house.send('metrics', { resourceMetrics: 5 })).status).toBe(400);

  const points = (dataPoints: object[]) => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'g', gauge: { dataPoints } }] }] }],
  });
  const many = Array.from({ length: 70 }, (_, at) => ({ key: `k${at}`, value: { stringValue: 'v' } }));
  const refused = await house.send(
    'metrics',
    points([
      { asDouble: 1, attributes: many },
      { asDouble: 1, timeUnixNano: '4102444800000000000' },
      { asDouble: 2 },
      { flags: 1 },
    ]),
  );
  const { partialSuccess } = JSON.parse(refused.body);
  expect(partialSuccess.rejectedDataPoints).toBe('2');
  expect(partialSuccess.errorMessage).toContain('at most 64 labels');
});
