import type { Command, Option } from 'commander';
import type { TypedLine } from './words.ts';

/** Something that could stand where the caret is, in place of the whole word. */
export interface Candidate {
  text: string;
  what: string;
}

/** What goes on with a search: whole words in place of its last one. */
export type SearchWords = (query: string) => Promise<{ text: string; from: number }[]>;

/** Commands whose words are a search of the log. */
const SEARCHING = ['fleet logs', 'fleet logs export', 'fleet searches save'];

/**
 * What could stand at the caret: commands, options, their values, and words of a search.
 * @param line without the program's own name
 */
export async function candidates(program: Command, line: TypedLine, search: SearchWords): Promise<Candidate[]> {
  let command = program;
  let pending: Option | undefined;
  const words: string[] = [];
  for (const word of line.words) {
    if (pending) pending = undefined;
    else if (word.startsWith('-') && word !== '-')
      pending = valued(optionOf(command, word.split('=')[0] as string), word);
    else {
      const next = words.length ? undefined : command.commands.find((each) => each.name() === word);
      if (next) command = next;
      else words.push(word);
    }
  }
  const begun = (all: Candidate[]) => all.filter(({ text }) => text.startsWith(line.last));
  if (pending) return begun((pending.argChoices ?? []).map((text) => ({ text, what: '' })));
  const [, name, begin] = /^(--[\w-]+)=(.*)$/s.exec(line.last) ?? [];
  if (name !== undefined && begin !== undefined) {
    return begun(
      (optionOf(command, name)?.argChoices ?? []).map((choice) => ({ text: `${name}=${choice}`, what: '' })),
    );
  }
  const found = line.last.startsWith('-') ? begun(optionsOf(command)) : words.length ? [] : begun(commandsOf(command));
  return [...found, ...(await searched(command, words, line.last, search))];
}

async function searched(command: Command, words: string[], last: string, search: SearchWords): Promise<Candidate[]> {
  const path = pathOf(command);
  if (!SEARCHING.includes(path) || last.startsWith('--') || (last === '' && words.length === 0)) return [];
  // The first word of `save` is the name.
  const before = path.endsWith('save') ? words.slice(1) : words;
  if (path.endsWith('save') && !words.length) return [];
  const query = [...before, last].join(' ');
  const start = query.length - last.length;
  const found = await search(query);
  return found
    .filter(({ from }) => from >= start)
    .map(({ text, from }) => ({ text: query.slice(start, from) + text, what: '' }));
}

function commandsOf(command: Command): Candidate[] {
  // What is hidden is for programs.
  const shown = command.createHelp().visibleCommands(command);
  return shown.map((each) => ({ text: each.name(), what: each.description() }));
}

function optionsOf(command: Command): Candidate[] {
  const all = [...ancestors(command).flatMap((each) => each.options)].filter(({ hidden }) => !hidden);
  return all.map(({ long, short, description }) => ({ text: long ?? (short as string), what: description }));
}

function optionOf(command: Command, flag: string): Option | undefined {
  return ancestors(command)
    .flatMap((each) => each.options)
    .find(({ long, short }) => flag === long || flag === short);
}

/** The option, if its value is the next word. */
function valued(option: Option | undefined, word: string): Option | undefined {
  return option && (option.required || option.optional) && !word.includes('=') ? option : undefined;
}

function ancestors(command: Command): Command[] {
  return command.parent ? [command, ...ancestors(command.parent)] : [command];
}

function pathOf(command: Command): string {
  return [...ancestors(command)]
    .reverse()
    .map((each) => each.name())
    .join(' ');
}
