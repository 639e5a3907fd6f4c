import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { readLines } from './lines.ts';

/** How a program ended. */
export interface Ending {
  /** Its exit code; 128 and the signal's number where a signal ended it, as shells tell it; 127 where it could not be started. */
  code: number;
  signal: NodeJS.Signals | null;
  /** Whether it was told to. */
  wasAsked: boolean;
}

export interface WrappedOptions {
  words: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Each line of what it writes, without its newline. */
  onLine: (line: string, isError: boolean) => void;
  /** What it writes, as it comes. */
  onText: (text: string, isError: boolean) => void;
  onEnd: (ending: Ending) => void;
  /** How long it may take to end when told to, milliseconds. */
  graceMs: number;
}

/** A program and all that it starts: a group of processes that is signalled as one. */
export class WrappedProgram {
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isAsked = false;

  constructor(private readonly options: WrappedOptions) {}

  /** Its process id; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws what the system says when it cannot be started */
  async start(): Promise<void> {
    const { words, env } = this.options;
    const [command = '', ...args] = words;
    this.#isAsked = false;
    const child = spawn(command, args, { env, detached: true, stdio: ['inherit', 'pipe', 'pipe'] });
    const { onLine, onText } = this.options;
    for (const [stream, isError] of [
      [child.stdout, false],
      [child.stderr, true],
    ] as const) {
      readLines(stream, {
        onText: (text) => onText(text, isError),
        onLine: (line) => onLine(line, isError),
      });
    }
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    this.#child = child;
    // When its output has been read too, not only when it has ended.
    this.#ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#child = undefined;
        const ending = code ?? 128 + (signal ? constants.signals[signal] : 0);
        this.options.onEnd({ code: ending, signal, wasAsked: this.#isAsked });
        resolve();
      });
    });
  }

  /** Tells it to end, then, when its grace is over, ends it; resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.#child) return;
    this.#isAsked = true;
    this.signal('SIGTERM');
    // One that is held would never hear of it.
    this.signal('SIGCONT');
    const limit = setTimeout(() => this.signal('SIGKILL'), this.options.graceMs);
    await this.#ended;
    clearTimeout(limit);
  }

  /** Sends the group a signal; nothing where nothing runs. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // It ended just now.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
