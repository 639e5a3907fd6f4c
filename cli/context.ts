import type { Command } from 'commander';
import type { FleetClient, GraphQLFault } from '../sdk/index.ts';
import { clientFor } from './client.ts';
import { exitCodeOf } from './output/exit-code.ts';
import { Printer, type Sink } from './output/printer.ts';

/** What every command is given: whom to ask, where to write, when to end. */
export interface Context {
  readonly client: FleetClient;
  readonly root: string;
  readonly printer: Printer;
  /** Aborted when nobody reads any longer. */
  readonly signal: AbortSignal;
  nowMs(): number;
  /** Says which parts of an answer are missing; the command then ends with the first one's code. */
  missing(errors: readonly GraphQLFault[]): void;
}

/** What the process lends to its commands; tests lend their own. */
export interface Surface {
  out: Sink;
  err: Sink;
  /** A terminal when somebody can be asked. */
  stdin: AsyncIterable<Buffer | string> & { isTTY?: boolean };
  signal: AbortSignal;
  /** The package's folder. */
  root: string;
  /** The folder the command is run in. */
  cwd: string;
  exit(code: number): void;
}

/** The context of one command from its own and the program's options. */
export function contextOf(command: Command, surface: Surface): Context {
  const { url, json = false } = command.optsWithGlobals<{ url?: string; json?: boolean }>();
  const client = clientFor(url, surface.root);
  const printer = new Printer(surface.out, surface.err, json);
  const missing = (errors: readonly GraphQLFault[]) => {
    for (const { path, message } of errors) printer.note(`fleet: ${path?.join('.') ?? 'the answer'}: ${message}`);
    if (errors[0]) surface.exit(exitCodeOf(errors[0].extensions?.code ?? 'INTERNAL'));
  };
  return {
    client,
    printer,
    root: surface.root,
    signal: surface.signal,
    nowMs: () => client.surroundings.nowMs(),
    missing,
  };
}

/** A list given as `a,b` or by repeating the option. */
export function listed(value: string, before: string[] = []): string[] {
  return [
    ...before,
    ...value
      .split(',')
      .map((each) => each.trim())
      .filter(Boolean),
  ];
}
