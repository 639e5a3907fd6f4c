import type { Command } from 'commander';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { plain } from '../output/table.ts';
import { durationOf } from './duration.ts';
import { addLogsExport } from './logs-export.ts';
import { addLogsShip } from './logs-ship.ts';

const ENTRY = 'id time severity service body attributes traceId spanId agent { id name }';
const LOGS = `query Logs($first: Int!, $filter: LogFilter) { logs(first: $first, filter: $filter) { changeCursor nodes { ${ENTRY} } } }`;
const TAIL = `subscription LogTail($filter: LogFilter, $after: String) { logTail(filter: $filter, after: $after) { cursor missed entries { ${ENTRY} } } }`;

interface Entry {
  id: string;
  time: string;
  severity: string;
  service: string;
  body: string;
  attributes: Record<string, unknown>;
  agent: { name: string } | null;
}

interface Options {
  follow?: boolean;
  service?: string[];
  severity?: string;
  since?: string;
  trace?: string;
  limit: string;
}

export function addLogs(program: Command, surface: Surface): void {
  const command = program
    .command('logs')
    .description('Log lines, newest last.')
    .argument('[query...]', 'words of the search language, e.g. severity:ERROR timeout')
    .option('-f, --follow', 'go on with new lines as they come')
    .option('--service <services>', 'only of these services; an agent’s service is its name', listed)
    .option('--severity <severity>', 'only this severe or more')
    .option('--since <duration>', 'only of so long, e.g. 15m, 2h, 1d, PT5M')
    .option('--trace <id>', 'only of this trace')
    .option('--limit <count>', 'no more than so many of the past (1–100)', '50');
  addLogsExport(command, surface);
  addLogsShip(command, surface);
  command.action((words: string[], options: Options) => logs(contextOf(command, surface), words, options));
}

async function logs(context: Context, words: string[], options: Options): Promise<void> {
  const { client, printer, missing } = context;
  const filter = {
    query: words.join(' ') || undefined,
    services: options.service,
    minSeverity: options.severity?.toUpperCase(),
    traceId: options.trace,
    range: options.since ? { last: durationOf(options.since) } : undefined,
  };
  const { data, errors = [] } = await client.ask<{ logs: { changeCursor: string; nodes: Entry[] } | null }>(LOGS, {
    first: Number(options.limit),
    filter,
  });
  missing(errors);
  const past = [...(data?.logs?.nodes ?? [])].reverse();
  if (options.follow) {
    for (const entry of past) printer.item(entry, () => lineOf(entry));
    await follow(context, { ...filter, range: undefined }, data?.logs?.changeCursor);
  } else {
    printer.answer(past, () => {
      for (const entry of past) printer.line(lineOf(entry));
    });
  }
}

/** Every line that matches, once, from where the page of the past ended, over lost connections. */
async function follow({ client, printer, signal }: Context, filter: object, after: string | undefined): Promise<void> {
  const options = { signal, ...(after ? { after } : {}) };
  const answers = client.subscribe<{ logTail: { missed: number; entries: Entry[] } | null }>(TAIL, { filter }, options);
  for await (const { data } of answers) {
    if (data?.logTail?.missed) printer.note(`fleet: ${data.logTail.missed} lines were not sent`);
    for (const entry of data?.logTail?.entries ?? []) printer.item(entry, () => lineOf(entry));
  }
}

function lineOf({ time, severity, service, agent, body, attributes }: Entry): string {
  const rest = Object.entries(attributes ?? {}).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return plain(
    `${time} ${severity.padEnd(5)} ${agent?.name ?? service}  ${body}${rest.length ? `  ${rest.join(' ')}` : ''}`,
  );
}
