import { type Command, InvalidArgumentError, Option } from 'commander';
import { isColourWelcome } from '../client.ts';
import { type Context, contextOf, listed, type Surface } from '../context.ts';
import { type LineStyle, LOG_COLUMNS, type LogLine, logLine, STANDARD_COLUMNS } from '../output/log-line.ts';
import { durationOf } from './duration.ts';
import { addLogsExport } from './logs-export.ts';
import { addLogsShip } from './logs-ship.ts';

const ENTRY = 'id time severity service body attributes traceId spanId agent { id name }';
const LOGS = `query Logs($first: Int!, $filter: LogFilter) { logs(first: $first, filter: $filter) { changeCursor nodes { ${ENTRY} } } }`;
const TAIL = `subscription LogTail($filter: LogFilter, $after: String) { logTail(filter: $filter, after: $after) { cursor missed entries { ${ENTRY} } } }`;

interface Options {
  follow?: boolean;
  saved?: string;
  service?: string[];
  severity?: string;
  since?: string;
  trace?: string;
  limit: string;
  columns?: string[];
  color: 'auto' | 'always' | 'never';
}

export function addLogs(program: Command, surface: Surface): void {
  const command = program
    .command('logs')
    .description('Log lines, newest last.')
    .argument('[query...]', 'words of the search language, e.g. severity:ERROR timeout')
    .option('-f, --follow', 'go on with new lines as they come')
    .option('--saved <name>', 'what the saved search of this name finds (fleet searches)')
    .option('--service <services>', 'only of these services; an agent’s service is its name', listed)
    .addOption(new Option('--severity <severity>', 'only this severe or more').argParser(severityOf))
    .option('--since <duration>', 'only of so long, e.g. 15m, 2h, 1d, PT5M')
    .option('--trace <id>', 'only of this trace')
    .option('--limit <count>', 'no more than so many of the past (1–100)', '50')
    .option('--columns <names>', `what is shown: ${LOG_COLUMNS.join(', ')}, attributes.<name>`, columnsOf)
    .addOption(
      new Option('--color <when>', 'whether lines are coloured').choices(['auto', 'always', 'never']).default('auto'),
    );
  addLogsExport(command, surface);
  addLogsShip(command, surface);
  command.action((words: string[], options: Options) => {
    const style = {
      columns: options.columns ?? STANDARD_COLUMNS,
      isColoured: options.color === 'always' || (options.color === 'auto' && isColourWelcome(surface.out)),
    };
    return logs(contextOf(command, surface), words, options, style);
  });
}

async function logs(context: Context, words: string[], options: Options, style: LineStyle): Promise<void> {
  const { client, printer, missing } = context;
  const filter = {
    query: words.join(' ') || undefined,
    savedSearch: options.saved,
    services: options.service,
    minSeverity: options.severity,
    traceId: options.trace,
    range: options.since ? { last: durationOf(options.since) } : undefined,
  };
  const { data, errors = [] } = await client.ask<{ logs: { changeCursor: string; nodes: LogLine[] } | null }>(LOGS, {
    first: Number(options.limit),
    filter,
  });
  missing(errors);
  const past = [...(data?.logs?.nodes ?? [])].reverse();
  if (options.follow) {
    for (const entry of past) printer.item(entry, () => logLine(entry, style));
    await follow(context, { ...filter, range: undefined }, data?.logs?.changeCursor, style);
  } else {
    printer.answer(past, () => {
      for (const entry of past) printer.line(logLine(entry, style));
    });
  }
}

/** Every line that matches, once, from where the page of the past ended, over lost connections. */
async function follow(
  { client, printer, signal }: Context,
  filter: object,
  after: string | undefined,
  style: LineStyle,
): Promise<void> {
  const options = { signal, ...(after ? { after } : {}) };
  const answers = client.subscribe<{ logTail: { missed: number; entries: LogLine[] } | null }>(
    TAIL,
    { filter },
    options,
  );
  for await (const { data } of answers) {
    if (data?.logTail?.missed) printer.note(`fleet: ${data.logTail.missed} lines were not sent`);
    for (const entry of data?.logTail?.entries ?? []) printer.item(entry, () => logLine(entry, style));
  }
}

function columnsOf(value: string, before: string[] = []): string[] {
  const names = listed(value, before);
  const unknown = names.find((name) => !LOG_COLUMNS.includes(name) && !/^attributes\..+/.test(name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${unknown} is none of ${LOG_COLUMNS.join(', ')}, attributes.<name>`);
  return names;
}

const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function severityOf(value: string): string {
  const severity = value.toUpperCase();
  if (!SEVERITIES.includes(severity)) throw new InvalidArgumentError(`expected one of ${SEVERITIES.join(', ')}`);
  return severity;
}
