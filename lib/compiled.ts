import module from 'node:module';
import path from 'node:path';

/** Beside the packages, where only who installed them may write; where nobody may, nothing is kept. */
const FOLDER = path.join(__dirname, '../../node_modules/.cache/fleetgraph');

/** What is loaded from now on is compiled once and kept for the next start: half of the way to the first answer. */
export function keepCompiled(): void {
  module.enableCompileCache?.(FOLDER);
}

/** Writes down what was compiled so far: a process that is killed has no other time for it. */
export function saveCompiled(): void {
  module.flushCompileCache?.();
}
