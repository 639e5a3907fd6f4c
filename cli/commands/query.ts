import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';

interface Options {
  variables?: Record<string, unknown>;
  operation?: string;
}

export function addQuery(program: Command, surface: Surface): void {
  const command = program
    .command('query')
    .description('Runs a GraphQL operation and prints its answer in JSON; a subscription prints a line for each event.')
    .argument('<graphql>', 'the operation, or - to read it from standard input')
    .option('--variables <json>', 'its variables, or @file', variablesOf)
    .option('--operation <name>', 'which one, when there are several');
  command.action(async (text: string, options: Options) => {
    const context = contextOf(command, surface);
    await run(context, text === '-' ? await read(surface.stdin) : text, options);
  });
}

async function run(
  { client, printer, signal, missing }: Context,
  text: string,
  { variables = {}, operation }: Options,
): Promise<void> {
  if (/^\s*(?:#[^\n]*\n\s*)*subscription\b/.test(text)) {
    for await (const answer of client.subscribe(text, variables, { signal })) printer.line(JSON.stringify(answer));
    return;
  }
  try {
    const answer = await client.ask(text, variables, undefined, operation);
    printer.line(JSON.stringify(answer, null, 2));
    missing(answer.errors ?? []);
  } catch (error) {
    if (error instanceof FleetFailure && error.faults.length)
      printer.line(JSON.stringify({ errors: error.faults }, null, 2));
    throw error;
  }
}

/** Variables given as JSON, or as `@file`. */
export function variablesOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text) as Record<string, unknown>;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

async function read(stdin: Surface['stdin']): Promise<string> {
  let text = '';
  for await (const chunk of stdin) text += chunk.toString();
  return text;
}
