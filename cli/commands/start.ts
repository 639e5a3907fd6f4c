import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { environment, PACKAGE_ROOT } from '../client.ts';
import type { Surface } from '../context.ts';

/** The supervisor's entry, relative to the package. */
const ENTRY = 'dist/cli/start.js';

export function addStart(program: Command, surface: Surface): void {
  program
    .command('start')
    .description('Starts the platform (start --help says more), a part of it (start router, start subgraph <name>).')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) => start(words, surface));
}

/** Hands over to the supervisor: same words, same terminal, signals passed on, its exit code is ours. */
function start(words: string[], surface: Surface): Promise<void> {
  const child = spawn(process.execPath, ['--enable-source-maps', ENTRY, ...words], {
    cwd: PACKAGE_ROOT,
    env: environment(),
    stdio: 'inherit',
  });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGTERM', pass);
  // A terminal sends SIGINT to both; the supervisor ends and we follow.
  process.on('SIGINT', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      surface.exit(code ?? 1);
      resolve();
    });
  });
}
