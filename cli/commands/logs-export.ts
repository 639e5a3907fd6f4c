import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { type Command, Option } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { contextOf, type Surface } from '../context.ts';
import type { Sink } from '../output/printer.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { durationOf } from './duration.ts';

interface Options {
  format: 'ndjson' | 'csv';
  output?: string;
  service?: string[];
  severity?: string;
  since?: string;
  trace?: string;
  limit?: string;
}

export function addLogsExport(logs: Command, surface: Surface): void {
  const command = logs
    .command('export')
    .description('Matching log lines as a file, newest first, to standard output.')
    .argument('[query...]', 'words of the search language, e.g. severity:ERROR timeout')
    .addOption(new Option('--format <format>', 'how they are written').choices(['ndjson', 'csv']).default('ndjson'))
    .option('-o, --output <file>', 'into this file instead')
    .option('--limit <count>', 'no more than so many');
  command.action(async (words: string[], own: Options) => {
    // What `logs` has too may stand before or behind the word `export`.
    const options = { ...command.optsWithGlobals<Options>(), ...own };
    const { client, signal, nowMs } = contextOf(command, surface);
    const response = await client.open(`/v1/logs/export?${parametersOf(words, options)}`, signal);
    const told = (name: string) => Number(response.headers.get(name) ?? 0);
    const total = told('fleet-export-total');
    const bar = new ProgressBar(surface.err, 'lines', total, nowMs);
    const lines = await written(response, options.output, surface.out, (done) => bar.at(done), signal);
    bar.clear();
    if (lines >= told('fleet-export-limit'))
      surface.err.write(`fleet: ${lines} lines, the newest: there may be more\n`);
    else if (surface.err.isTTY) surface.err.write(`fleet: ${lines} lines\n`);
  });
}

function parametersOf(words: readonly string[], options: Options): URLSearchParams {
  const { format, service = [], severity, since, trace, limit } = options;
  const parameters = new URLSearchParams({ format });
  if (words.length) parameters.set('query', words.join(' '));
  for (const each of service) parameters.append('service', each);
  if (severity) parameters.set('minSeverity', severity);
  if (since) parameters.set('last', durationOf(since));
  if (trace) parameters.set('traceId', trace);
  if (limit) parameters.set('limit', limit);
  return parameters;
}

/** Writes the body down as it comes. @returns how many lines it had @throws UNREACHABLE when it broke off */
async function written(
  response: Response,
  file: string | undefined,
  out: Sink,
  onLines: (count: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const sink = file === undefined ? out : createWriteStream(file, { mode: 0o600 });
  const isTable = response.headers.get('content-type')?.startsWith('text/csv') === true;
  const decoder = new TextDecoder();
  let lines = isTable ? -1 : 0;
  let isQuoted = false;
  const count = (text: string) => {
    for (const sign of text) {
      if (sign === '"' && isTable) isQuoted = !isQuoted;
      else if (sign === '\n' && !isQuoted) lines += 1;
    }
  };
  try {
    for await (const bytes of response.body ?? []) {
      const text = decoder.decode(bytes, { stream: true });
      count(text);
      if (sink.write(text) === false) await new Promise<void>((resolve) => sink.once?.('drain', resolve) ?? resolve());
      onLines(lines);
    }
  } catch (error) {
    if (signal.aborted) return lines;
    throw new FleetFailure('UNREACHABLE', `the export broke off after ${lines} lines (${String(error)})`);
  }
  if ('end' in sink) {
    sink.end();
    await once(sink, 'close');
  }
  return lines;
}
