import type { Command } from 'commander';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { ago } from '../output/printer.ts';
import { plain } from '../output/table.ts';
import { addAlertsApply } from './alerts-apply.ts';

const ALERT =
  'id name severity state firedAt startedAt resolvedAt value labels acknowledgement { at by { name } note } agent { id name state }';
const ALERTS = `query Alerts($first: Int!, $filter: AlertFilter) { alerts(first: $first, filter: $filter) { changeCursor totalCount nodes { ${ALERT} } } }`;
const CHANGES = `subscription AlertChanges($filter: AlertFilter, $after: String) {
  alertChanged(filter: $filter, after: $after) { cursor occurredAt kind node { ${ALERT} } }
}`;

interface AlertRow {
  id: string;
  name: string;
  severity: string;
  state: string;
  startedAt: string;
  firedAt: string | null;
  acknowledgement: { by: { name: string } } | null;
  agent: { name: string } | null;
}

interface Change {
  occurredAt: string;
  kind: string;
  node: AlertRow;
}

interface Options {
  watch?: boolean;
  all?: boolean;
  severity?: string[];
  state?: string[];
  limit: string;
}

export function addAlerts(program: Command, surface: Surface): void {
  const command = program
    .command('alerts')
    .description('The alerts that are open, newest first.')
    .argument('[query]', 'words of the search language')
    .option('-w, --watch', 'go on with every change as it comes')
    .option('-a, --all', 'resolved ones too')
    .option('--severity <severities>', 'only INFO, WARNING or CRITICAL', listed)
    .option('--state <states>', 'only PENDING, FIRING, RECOVERING or RESOLVED', listed)
    .option('--limit <count>', 'no more than so many (1–100)', '50');
  addAlertsApply(command, surface);
  command.action((query: string | undefined, options: Options) => alerts(contextOf(command, surface), query, options));
}

async function alerts(context: Context, query: string | undefined, options: Options): Promise<void> {
  const { client, printer, missing } = context;
  const severities = options.severity?.map((severity) => severity.toUpperCase());
  const states =
    options.state?.map((state) => state.toUpperCase()) ??
    (options.all ? undefined : ['PENDING', 'FIRING', 'RECOVERING']);
  const { data, errors = [] } = await client.ask<{ alerts: { changeCursor: string; nodes: AlertRow[] } | null }>(
    ALERTS,
    {
      first: Number(options.limit),
      filter: { query, severities, states },
    },
  );
  missing(errors);
  const rows = data?.alerts?.nodes ?? [];
  if (options.watch) {
    for (const row of [...rows].reverse()) printer.item(row, () => lineOf(row.firedAt ?? row.startedAt, row));
    const given = options.state ? { states } : {};
    await watch(context, { query, severities, ...given }, data?.alerts?.changeCursor);
  } else {
    printer.answer(rows, () => show(context, rows));
  }
}

async function watch({ client, printer, signal }: Context, filter: object, after: string | undefined): Promise<void> {
  const options = { signal, ...(after ? { after } : {}) };
  for await (const { data } of client.subscribe<{ alertChanged: Change | null }>(CHANGES, { filter }, options)) {
    const change = data?.alertChanged;
    if (change) printer.item(change, () => lineOf(change.occurredAt, change.node));
  }
}

function show({ printer, nowMs }: Context, rows: AlertRow[]): void {
  printer.table<AlertRow>(
    [
      { title: 'SEVERITY', text: ({ severity }) => severity },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'SINCE', text: ({ firedAt, startedAt }) => ago(firedAt ?? startedAt, nowMs()), right: true },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'AGENT', text: ({ agent }) => agent?.name ?? '-' },
      { title: 'ACKNOWLEDGED', text: ({ acknowledgement }) => acknowledgement?.by.name ?? '-' },
      { title: 'ID', text: ({ id }) => id },
    ],
    rows,
  );
}

function lineOf(time: string, { severity, state, name, agent, acknowledgement, id }: AlertRow): string {
  const by = acknowledgement ? `  acknowledged by ${acknowledgement.by.name}` : '';
  return plain(`${time} ${severity.padEnd(8)} ${state.padEnd(10)} ${name}  ${agent?.name ?? '-'}${by}  ${id}`);
}
