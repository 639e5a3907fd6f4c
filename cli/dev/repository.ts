import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Surroundings } from '../../sdk/index.ts';
import { HOUSE_NAMES } from '../platform/processes.ts';
import { FolderWatch } from './folder-watch.ts';
import type { Platform } from './platform.ts';
import type { Tell } from './told.ts';

const HOUSES: readonly string[] = HOUSE_NAMES;
const ALL = ['router', ...HOUSES];

/** Whether this is the platform's own source, not an installed package. */
export function isRepository(folder: string): boolean {
  return ['tsconfig.product.json', 'subgraphs', 'router'].every((name) => existsSync(path.join(folder, name)));
}

/**
 * Which processes run a file of the platform's source; none for one that none runs, or that the router takes over by itself.
 * `by hand`: the supervisor and the command line, which cannot be started anew from within.
 */
export function partsOf(file: string): readonly string[] | 'by hand' {
  const [first = '', second = ''] = file.split('/');
  if (first === 'subgraphs') return HOUSES.includes(second) ? [second] : [];
  if (first === 'router') return ['router'];
  if (first === 'lib' || first === 'migrations') return ALL;
  if (first === 'sdk' || first === 'fleet') return second === 'python' ? [] : ['demo'];
  if (first !== 'cli') return [];
  return second === 'platform' || file === 'cli/run.ts' ? ALL : 'by hand';
}

export interface RepositoryOptions {
  root: string;
  platform: Platform;
  surroundings: Surroundings;
  tell: Tell;
}

/** The platform's own source: compiled when it changes, and the processes that it belongs to started anew. */
export class Repository {
  readonly #watch: FolderWatch;
  #changed: string[] = [];
  #working: Promise<void> | undefined;
  #compiler: ChildProcess | undefined;
  #isClosed = false;

  constructor(private readonly options: RepositoryOptions) {
    const { root, surroundings, tell } = options;
    this.#watch = new FolderWatch({
      folder: root,
      ignored: [/^(?:test|bench|docs|console|deploy|scripts)\//],
      surroundings,
      onChange: (files) => this.#take(files.filter((file) => file.endsWith('.ts'))),
      onError: (error) => tell({ event: 'watch.failed', folder: path.basename(root), reason: error.message }),
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    this.#compiler?.kill('SIGKILL');
    await this.#working;
  }

  #take(files: readonly string[]): void {
    this.#changed.push(...files);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    while (this.#changed.length && !this.#isClosed) await this.#compile([...new Set(this.#changed.splice(0))]);
  }

  async #compile(files: readonly string[]): Promise<void> {
    const { platform, surroundings, tell } = this.options;
    const parts = files.map(partsOf);
    if (parts.includes('by hand'))
      tell({ event: 'by-hand', files: files.filter((file) => partsOf(file) === 'by hand') });
    const meant = [...new Set(parts.flatMap((part) => (part === 'by hand' ? [] : part)))];
    if (!meant.length) return;
    const startedMs = surroundings.nowMs();
    const said = await this.#run();
    if (this.#isClosed) return;
    if (said !== undefined) return tell({ event: 'compile.failed', files, said });
    try {
      const restarted = platform.isOurs ? await platform.restart(meant) : [];
      tell({ event: 'compiled', files, tookMs: surroundings.nowMs() - startedMs, restarted });
    } catch (error) {
      // It is being stopped, or did not come back: then the platform's end is told too.
      if (!this.#isClosed) tell({ event: 'platform.away', reason: (error as Error).message });
    }
  }

  /** @returns what the compiler found wrong; undefined: nothing. What does not compile is not written. */
  #run(): Promise<string | undefined> {
    const { root } = this.options;
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const words = [compiler, '-p', 'tsconfig.product.json', '--noEmitOnError', '--pretty', 'false'];
    const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#compiler = child;
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        said = (said + text.toString()).slice(-4_000);
      });
    }
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code) => resolve(code === 0 ? undefined : said.trim() || `the compiler ended with ${code}`));
    });
  }
}
