import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { environment } from '../client.ts';
import type { Surface } from '../context.ts';

/** The supervisor's entry, relative to the package. */
const ENTRY = 'dist/cli/start.js';

export function addStart(program: Command, surface: Surface): void {
  program
    .command('start')
    .description('Starts the platform, or a part of it: router, subgraph <name>. start --help says more.')
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => start(words, surface));
}

/** Hands over to the supervisor: same words, same terminal, signals passed on, its exit code is ours. */
export function start(words: readonly string[], surface: Surface): Promise<void> {
  const { root } = surface;
  const child = spawn(process.execPath, ['--enable-source-maps', ENTRY, ...words], {
    cwd: root,
    env: environment(root),
    stdio: 'inherit',
  });
  const pass = (signal: NodeJS.Signals) => {
    child.kill(signal);
  };
  // A terminal sends SIGINT to both: the supervisor ends, and we with it.
  const wait = () => undefined;
  process.on('SIGTERM', pass).on('SIGINT', wait);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGTERM', pass).off('SIGINT', wait);
      surface.exit(code ?? 1);
      resolve();
    });
  });
}
