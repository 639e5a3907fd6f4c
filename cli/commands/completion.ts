import { Argument, type Command } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { clientFor } from '../client.ts';
import { candidates } from '../completion/candidates.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import { typedLine } from '../completion/words.ts';
import type { Surface } from '../context.ts';
import { plain } from '../output/table.ts';

const COMPLETE = 'query LogCompletions($query: String!) { logCompletions(query: $query) { text from } }';
interface Completed {
  logCompletions: { text: string; from: number }[] | null;
}

/** Somebody is typing: what has not come by then is not offered. */
const PATIENCE_MS = 1_500;

export function addCompletion(program: Command, surface: Surface): void {
  const script = program
    .command('completion')
    .description('Writes what a shell needs to complete our words, e.g. source <(fleet completion bash).')
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(SCRIPTS)));
  script.action((shell: string) => {
    surface.out.write(SCRIPTS[shell] as string);
  });
  const complete = program.command('complete', { hidden: true }).argument('<line>');
  complete.action(async (line: string) => {
    const typed = typedLine(line);
    // The program's own name stands in front.
    const found = await candidates(program, { ...typed, words: typed.words.slice(1) }, async (query) => {
      try {
        const client = clientFor(undefined, surface.root, PATIENCE_MS);
        const { logCompletions } = await client.query<Completed>(COMPLETE, { query });
        return logCompletions ?? [];
      } catch (error) {
        // A shell shows candidates, no failures: without an answer there are none.
        if (error instanceof FleetFailure) return [];
        throw error;
      }
    });
    // One a line: what a log has in it must not make two.
    for (const { text, what } of found) surface.out.write(`${plain(text)}${what && `\t${plain(what)}`}\n`);
  });
}
