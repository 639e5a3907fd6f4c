import { type ChildProcess, spawn } from 'node:child_process';
import type { Log } from '../../lib/log.ts';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2_000;

export interface ChildOptions {
  name: string;
  /** Arguments of node: a script relative to the package, and its words. Never a secret. */
  args: string[];
  env: Record<string, string>;
  root: string;
  log: Log;
  /** Told of each process that starts or ends. */
  onChange: () => void;
  /** Whether an end by its own will (exit code 0) is final. */
  mayEnd?: boolean;
}

/** One process that is kept running: however it ends, it is started again after a growing pause. */
export class Child {
  #process: ChildProcess | undefined;
  #stopping = false;
  #isRestarting = false;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Whether the process that runs now has said that it serves. */
  isReady = false;

  constructor(private readonly options: ChildOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  start(): void {
    const { name, args, env, root, log, onChange, mayEnd } = this.options;
    const child = spawn(process.execPath, ['--enable-source-maps', ...args], {
      // The words of its command line are its own: a path could bear any.
      argv0: 'node',
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process = child;
    this.isReady = false;
    child.on('message', (message) => {
      if ((message as { ready?: boolean }).ready) this.isReady = true;
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    child.once('close', (code, signal) => {
      this.#process = undefined;
      onChange();
      if (this.#stopping || this.#isRestarting || (mayEnd && code === 0)) return;
      // One that served is back at once; only one that cannot start is left longer and longer.
      if (this.isReady) this.#pauseMs = FIRST_PAUSE_MS;
      this.isReady = false;
      const error = `${name} ended by ${signal ?? `exit code ${code}`}`;
      log.error('child.ended', { child: name, error, code, signal, said: said.trim(), restartMs: this.#pauseMs });
      this.#timer = setTimeout(() => this.start(), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS);
    });
    child.on('error', (error) => log.error('child.failed', { child: name, error: error.message }));
    onChange();
  }

  /** Ends it as `stop` does, and starts it anew: with the code that is there by then. */
  async restart(limitMs: number): Promise<void> {
    this.#isRestarting = true;
    await this.#end(limitMs);
    this.#isRestarting = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (!this.#stopping) this.start();
  }

  /** Asks it to drain and end, for good; kills it after `limitMs`. */
  stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    return this.#end(limitMs);
  }

  async #end(limitMs: number): Promise<void> {
    clearTimeout(this.#timer);
    const child = this.#process;
    if (!child) return;
    if (child.connected) child.send({ stop: true }, () => undefined);
    else child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await this.#ended;
    clearTimeout(limit);
  }
}
