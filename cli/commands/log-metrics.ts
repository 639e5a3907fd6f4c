import { type Command, InvalidArgumentError, Option } from 'commander';
import type { UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, listed, type Surface } from '../context.ts';

const METRIC = 'name version description kind filter value by buckets maxSeries';
const LIST = `query LogMetrics { logMetrics { ${METRIC} progress { countedUntil series isOverflowing } } }`;
const APPLY = `mutation ApplyLogMetric($input: LogMetricInput!) {
  applyLogMetric(input: $input) { metric { ${METRIC} } changes { op path value oldValue } userErrors { code message field } }
}`;
const DELETE = `mutation DeleteLogMetric($input: DeleteByNameInput!) {
  deleteLogMetric(input: $input) { name userErrors { code message field } }
}`;

interface MetricRow {
  name: string;
  version: number;
  kind: string;
  filter: { query?: string; services?: string[]; minSeverity?: string };
  value: string | null;
  by: string[];
  progress?: { countedUntil: string; series: number; isOverflowing: boolean } | null;
}

interface ApplyOptions {
  kind: string;
  query?: string;
  service?: string[];
  severity?: string;
  value?: string;
  by?: string[];
  bucket?: number[];
  maxSeries?: number;
  description?: string;
  expectedVersion?: number;
  dryRun?: boolean;
}

export function addLogMetrics(program: Command, surface: Surface): void {
  const metrics = program.command('log-metrics').description('Metrics that are made of log entries as they come.');
  const list = metrics.command('list').description('The metrics, and how far each has counted.');
  list.action(() => show(contextOf(list, surface)));
  addApply(metrics, surface);
  const remove = metrics
    .command('delete')
    .description('Deletes a metric; the samples that it made stay. Audited.')
    .argument('<name>', 'the metric')
    .option('--expected-version <number>', 'refused when it has another', whole);
  remove.action(async (name: string, { expectedVersion }: Pick<ApplyOptions, 'expectedVersion'>) => {
    const { client, printer } = contextOf(remove, surface);
    const { deleteLogMetric } = await client.query<{
      deleteLogMetric: { name: string | null; userErrors: UserError[] } | null;
    }>(DELETE, { input: { name, expectedVersion } });
    const done = settled(deleteLogMetric);
    printer.answer({ name: done.name }, () => printer.line(`${done.name} is deleted`));
  });
}

function addApply(metrics: Command, surface: Surface): void {
  const apply = metrics
    .command('apply')
    .description('Makes or changes a metric; it counts what is stored from then on. Audited.')
    .argument('<name>', 'its name, and the metric’s')
    .addOption(
      new Option('--kind <kind>', 'what is made of the entries')
        .choices(['counter', 'gauge', 'histogram'])
        .default('counter'),
    )
    .option('--query <search>', 'entries that this search finds')
    .option('--service <services>', 'of these services', listed)
    .option('--severity <severity>', 'this severe or more')
    .option('--value <field>', 'where an entry says its number, e.g. attributes.durationMs')
    .option('--by <fields>', 'what entries are told apart by, e.g. service,attributes.code', listed)
    .option('--bucket <bounds>', 'upper bounds of a histogram, rising', numbers)
    .option('--max-series <number>', 'series at most', whole)
    .option('--description <text>', 'what it is for')
    .option('--expected-version <number>', 'refused when it has another; 0: it must be new', whole)
    .option('--dry-run', 'only tell what would be');
  apply.action(async (name: string, { kind, query, service, severity, bucket, ...options }: ApplyOptions) => {
    const { client, printer } = contextOf(apply, surface);
    const filter = { query, services: service, minSeverity: severity?.toUpperCase() };
    const input = { name, kind: kind.toUpperCase(), filter, buckets: bucket, ...options };
    const { applyLogMetric } = await client.query<{
      applyLogMetric: { metric: MetricRow; userErrors: UserError[] } | null;
    }>(APPLY, { input });
    const { userErrors: _, ...done } = settled(applyLogMetric);
    const is = options.dryRun ? 'would be' : 'is';
    printer.answer(done, () => printer.line(`${name} ${is} version ${done.metric.version}: ${aboutText(done.metric)}`));
  });
}

async function show({ client, printer, missing }: Context): Promise<void> {
  const { data, errors = [] } = await client.ask<{ logMetrics: MetricRow[] | null }>(LIST);
  missing(errors);
  const rows = data?.logMetrics ?? [];
  printer.answer(rows, () =>
    printer.table<MetricRow>(
      [
        { title: 'METRIC', text: ({ name }) => name },
        { title: 'VERSION', text: ({ version }) => String(version), right: true },
        { title: 'KIND', text: ({ kind }) => kind.toLowerCase() },
        { title: 'SERIES', text: ({ progress }) => seriesText(progress), right: true },
        { title: 'COUNTED UNTIL', text: ({ progress }) => progress?.countedUntil ?? '' },
        { title: 'BY', text: ({ by }) => by.join(',') },
        { title: 'OF', text: aboutText },
      ],
      rows,
    ),
  );
}

function seriesText(progress: MetricRow['progress']): string {
  return progress ? `${progress.series}${progress.isOverflowing ? ' and more' : ''}` : '';
}

function aboutText({ filter, value }: MetricRow): string {
  const { query, services, minSeverity } = filter;
  const parts = [
    ...(services ? [`service ${services.join(',')}`] : []),
    ...(minSeverity ? [`${minSeverity} or more`] : []),
    ...(query ? [query] : []),
  ];
  return `${value ? `${value} of ` : ''}${parts.join(' and ') || 'everything'}`;
}

function numbers(text: string, before: number[] = []): number[] {
  const read = text.split(',').map(Number);
  if (read.some((each) => !Number.isFinite(each))) throw new InvalidArgumentError('numbers, separated by commas');
  return [...before, ...read];
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}
