import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { freePort } from '../../lib/postgres/local.ts';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Scenario, type Verdict, verdict } from './verdict.ts';

/** Real senders and readers: the stock OpenTelemetry SDK, a stock Prometheus, the demo fleet's own tasks. */
export const input: Scenario = {
  name: 'input',
  async run(short) {
    const platform = new SpawnedPlatform([]);
    try {
      await platform.start();
      const verdicts = [
        await logsBySdk(platform, 'protobuf', short ? 10_000 : 90_000),
        await logsBySdk(platform, 'json', short ? 2_000 : 10_000),
      ];
      verdicts.push(...(await scraped(platform)), ...(await wholeTraces(platform, short ? 50 : 1_000)));
      return verdicts;
    } finally {
      await platform.stop();
      platform.remove();
    }
  },
};

async function logsBySdk(platform: SpawnedPlatform, encoding: 'protobuf' | 'json', count: number): Promise<Verdict> {
  const service = `stock-${encoding}`;
  const Exporter = encoding === 'json' ? JsonExporter : ProtobufExporter;
  const exporter = new Exporter({
    url: `${platform.url}/v1/logs`,
    headers: { authorization: `Bearer ${platform.token}` },
  });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    processors: [new BatchLogRecordProcessor({ exporter, maxQueueSize: count, maxExportBatchSize: 2_000 })],
  });
  const logger = provider.getLogger('input');
  for (let at = 0; at < count; at += 1) {
    logger.emit({
      severityNumber: SeverityNumber.INFO,
      body: `record ${at}`,
      attributes: { at },
      timestamp: Date.now(),
    });
  }
  await provider.shutdown();
  const query = 'query ($s: String!) { logs(first: 1, filter: { services: [$s] }) { totalCount } }';
  const { data } = await platform.ask(query, { s: service });
  const found = data?.logs?.totalCount ?? -1;
  return verdict(`logs by a stock SDK, ${encoding}: found of ${count}`, found, found === count);
}

async function scraped(platform: SpawnedPlatform): Promise<Verdict[]> {
  if (spawnSync('which', ['prometheus']).status !== 0)
    return [verdict('scraped by a stock Prometheus', 'it is not installed', false)];
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-prometheus-'));
  const target = new URL(platform.url).host;
  writeFileSync(path.join(folder, 'token'), platform.token, { mode: 0o600 });
  writeFileSync(
    path.join(folder, 'prometheus.yml'),
    `scrape_configs:
  - job_name: fleetgraph
    scrape_interval: 1s
    authorization: { credentials_file: ${folder}/token }
    static_configs: [{ targets: ["${target}"] }]
`,
  );
  const port = await freePort();
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/tsdb`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const prometheus = spawn('prometheus', args, { stdio: 'ignore' });
  try {
    const series = async (query: string): Promise<unknown[]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
        () => undefined,
      );
      const body = answer?.ok ? ((await answer.json()) as { data: { result: unknown[] } }) : undefined;
      return body?.data.result ?? [];
    };
    await wait(
      async () => (await series('up{job="fleetgraph"} == 1')).length === 1,
      30_000,
      'Prometheus scrapes us',
    ).catch(() => 0);
    const [up, names] = [
      await series('up{job="fleetgraph"} == 1'),
      await series('count by (__name__) ({job="fleetgraph"})'),
    ];
    return [verdict('scraped by a stock Prometheus: metrics', names.length, up.length === 1 && names.length > 20)];
  } finally {
    prometheus.kill();
  }
}

async function wholeTraces(platform: SpawnedPlatform, tasks: number): Promise<Verdict[]> {
  const page = `query ($after: String) { traces(first: 100, after: $after, filter: { query: "task", range: { last: "PT1H" } }) {
    nodes { traceId root { error attributes } spans { spanId parentSpanId agent { id } } } pageInfo { hasNextPage endCursor } } }`;
  interface Found {
    traceId: string;
    root: { error: boolean; attributes: Record<string, unknown> } | null;
    spans: { spanId: string; parentSpanId: string | null; agent: { id: string } | null }[];
  }
  const read = async (): Promise<Found[]> => {
    const found: Found[] = [];
    for (let after: string | null = null; found.length < tasks * 2; ) {
      const { data } = await platform.ask(page, { after });
      found.push(...data.traces.nodes);
      if (!data.traces.pageInfo.hasNextPage) break;
      after = data.traces.pageInfo.endCursor;
    }
    return found;
  };
  // Jobs that people send; what an ill agent is asked again and again is not handed on.
  const isJob = ({ root }: Found) => !root || String(root.attributes['fleet.job.id']).startsWith('job-');
  const jobs = async () => (await read()).filter(isJob);
  await wait(async () => (await jobs()).length >= tasks + 40, 600_000, `${tasks} tasks are traced`);
  // The newest may still be under way: the oldest of them are judged.
  const judged = (await jobs()).reverse().slice(0, tasks);
  const orphans = judged.flatMap(({ spans }) => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    return spans.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId));
  });
  const whole = judged.filter(({ root }) => root);
  const done = whole.filter(({ root }) => !root?.error);
  const wide = done.filter(({ spans }) => new Set(spans.map(({ agent }) => agent?.id)).size >= 3);
  return [
    verdict(`demo tasks with a whole trace, of ${judged.length}`, whole.length, whole.length === judged.length),
    verdict(`… of the ${done.length} that were done, over ≥ 3 agents`, wide.length, wide.length === done.length),
    verdict('orphan spans', orphans.length, orphans.length === 0),
  ];
}
