import type { Argument, Command, Option } from 'commander';
import { programOf } from '../cli/program.ts';
import { cell, code, page, table } from './markdown.ts';

const HEAD = `# Commands of the command line

Made from cli/commands by \`npm run docs\`; [the command line](../cli.md) has examples, where it looks for the platform, and exit codes.
Every command takes \`--help\`, and those of the first table.
`;

/** A surface that nothing is written to: nothing is run. */
const NOBODY = {
  ...{ out: { write: () => true }, err: { write: () => true }, exit: () => undefined, root: '', cwd: '' },
  stdin: (async function* () {})(),
  signal: new AbortController().signal,
};

/** Commands that help shows, each before its own. */
function shownIn(program: Command): Command[] {
  const shown = program.createHelp().visibleCommands(program);
  return shown.filter((each) => each.name() !== 'help').flatMap((command) => [command, ...shownIn(command)]);
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function usageOf({ registeredArguments }: Command): string {
  const shown = registeredArguments.map((each) => {
    const name = `${each.name()}${each.variadic ? '...' : ''}`;
    return each.required ? `<${name}>` : `[${name}]`;
  });
  return shown.length ? ` ${shown.join(' ')}` : '';
}

const standardOf = ({ defaultValue }: Option | Argument) =>
  defaultValue === undefined || defaultValue === false ? '' : code(String(defaultValue));

function optionRows(options: readonly Option[]): string[][] {
  return options
    .filter(({ hidden }) => !hidden)
    .map((option) => [
      code(option.flags),
      standardOf(option),
      cell(`${option.description}${option.mandatory ? ' (must be given)' : ''}`),
    ]);
}

function section(command: Command): string {
  return page(
    `## ${nameOf(command)}`,
    command.description(),
    `\`${nameOf(command)}${usageOf(command)}\``,
    table(
      ['argument', 'default', 'what it says'],
      command.registeredArguments
        .filter(({ description }) => description)
        .map((each) => [code(each.name()), standardOf(each), cell(each.description)]),
    ),
    table(['option', 'default', 'what it says'], optionRows(command.options)),
  );
}

/** docs/reference/commands.md, and what of the command line says nothing of itself. */
export function commandPages(): { pages: Record<string, string>; silent: string[] } {
  const program = programOf(NOBODY);
  const commands = shownIn(program);
  const silent = commands.flatMap((command) => [
    ...(command.description() ? [] : [`cli/commands: ${nameOf(command)} has no description`]),
    ...command.options
      .filter(({ description }) => !description)
      .map(({ flags }) => `cli/commands: ${nameOf(command)} ${flags} has no description`),
  ]);
  const common = table(['option', 'default', 'what it says'], optionRows(program.options));
  return { pages: { 'docs/reference/commands.md': page(HEAD, common, ...commands.map(section)) }, silent };
}
