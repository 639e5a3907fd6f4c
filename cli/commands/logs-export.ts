import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { type Command, Option } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { contextOf, type Surface } from '../context.ts';
import type { Sink } from '../output/printer.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { durationOf } from './duration.ts';

interface Options {
  format: 'ndjson' | 'csv' | 'parquet';
  output?: string;
  saved?: string;
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
    .addOption(
      new Option('--format <format>', 'how they are written').choices(['ndjson', 'csv', 'parquet']).default('ndjson'),
    )
    .option('-o, --output <file>', 'into this file instead')
    .option('--limit <count>', 'no more than so many');
  command.action(async (words: string[], own: Options) => {
    // What `logs` has too may stand before or behind the word `export`.
    const options = { ...command.optsWithGlobals<Options>(), ...own };
    const { client, signal, nowMs } = contextOf(command, surface);
    const isBinary = options.format === 'parquet';
    if (isBinary && options.output === undefined && surface.out.isTTY) {
      throw new FleetFailure('BAD_INPUT', 'Parquet is not for a terminal: name a file with --output');
    }
    const response = await client.open(`/v1/logs/export?${parametersOf(words, options)}`, signal);
    const told = (name: string) => Number(response.headers.get(name) ?? 0);
    const total = told('fleet-export-total');
    const bar = new ProgressBar(surface.err, isBinary ? 'bytes' : 'lines', isBinary ? 0 : total, nowMs);
    const done = await written(response, options.output, surface.out, (count) => bar.at(count), signal);
    bar.clear();
    // How many a binary file has it says itself.
    const lines = isBinary ? total : done;
    if (lines >= told('fleet-export-limit'))
      surface.err.write(`fleet: ${lines} lines, the newest: there may be more\n`);
    else if (surface.err.isTTY)
      surface.err.write(`fleet: ${isBinary && !total ? `${done} bytes` : `${lines} lines`}\n`);
  });
}

function parametersOf(words: readonly string[], options: Options): URLSearchParams {
  const { format, saved, service = [], severity, since, trace, limit } = options;
  const parameters = new URLSearchParams({ format });
  if (words.length) parameters.set('query', words.join(' '));
  if (saved) parameters.set('savedSearch', saved);
  for (const each of service) parameters.append('service', each);
  if (severity) parameters.set('minSeverity', severity);
  if (since) parameters.set('last', durationOf(since));
  if (trace) parameters.set('traceId', trace);
  if (limit) parameters.set('limit', limit);
  return parameters;
}

/** Writes the body down as it comes. @returns how many lines it had, bytes of what has none @throws UNREACHABLE when it broke off */
async function written(
  response: Response,
  file: string | undefined,
  out: Sink,
  onCount: (count: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const sink = file === undefined ? out : createWriteStream(file, { mode: 0o600 });
  const type = response.headers.get('content-type') ?? '';
  const isText = !type.startsWith('application/vnd.apache.parquet');
  const count = isText ? lineCount(type.startsWith('text/csv')) : byteCount();
  const decoder = new TextDecoder();
  let done = 0;
  try {
    for await (const bytes of response.body ?? []) {
      const piece = isText ? decoder.decode(bytes, { stream: true }) : bytes;
      done = count(piece);
      if (sink.write(piece) === false) await new Promise<void>((resolve) => sink.once?.('drain', resolve) ?? resolve());
      onCount(done);
    }
  } catch (error) {
    if (signal.aborted) return done;
    throw new FleetFailure(
      'UNREACHABLE',
      `the export broke off after ${done} ${isText ? 'lines' : 'bytes'} (${String(error)})`,
    );
  }
  if ('end' in sink) {
    sink.end();
    await once(sink, 'close');
  }
  return done;
}

type Count = (piece: string | Uint8Array) => number;

/** Counts lines; of a table not its head, nor line feeds inside of quotes. */
function lineCount(isTable: boolean): Count {
  let lines = isTable ? -1 : 0;
  let isQuoted = false;
  return (piece) => {
    for (const sign of piece as string) {
      if (sign === '"' && isTable) isQuoted = !isQuoted;
      else if (sign === '\n' && !isQuoted) lines += 1;
    }
    return lines;
  };
}

function byteCount(): Count {
  let bytes = 0;
  return ({ length }) => {
    bytes += length;
    return bytes;
  };
}
