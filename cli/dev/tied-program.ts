import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { readLines } from '../wrap/lines.ts';
import type { ProgramEvent } from './policy.ts';

export interface TiedOptions {
  /** The package's folder. */
  root: string;
  words: readonly string[];
  folder: string;
  env: NodeJS.ProcessEnv;
  onLine: (line: string, isError: boolean) => void;
  onEvent: (event: ProgramEvent) => void;
  /** How long it may take to end when told to, milliseconds. */
  graceMs: number;
}

/** The script that a program is tied by, relative to the package. */
const TIE = 'dist/cli/dev/tie.js';
/** What a program said last, for whoever is told that it broke. */
const LAST_LINES = 12;

/** A program that ends with us, however we end. */
export class TiedProgram {
  #tie: ChildProcess | undefined;

  constructor(private readonly options: TiedOptions) {}

  start(): void {
    const { root, words, folder, env, onLine, onEvent, graceMs } = this.options;
    const tie = spawn(process.execPath, [path.join(root, TIE), String(graceMs), ...words], {
      cwd: folder,
      env,
      // A group of its own: a Ctrl-C in our terminal is ours to pass on.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#tie = tie;
    const said: string[] = [];
    let isFailed = false;
    for (const [stream, isError] of [
      [tie.stdout, false],
      [tie.stderr, true],
    ] as const) {
      if (!stream) continue;
      readLines(stream, {
        onLine: (line) => {
          said.push(line.slice(0, 400));
          said.splice(0, said.length - LAST_LINES);
          onLine(line, isError);
        },
      });
    }
    const failed = (reason: string) => {
      if (!isFailed) onEvent({ kind: 'failed', reason });
      isFailed = true;
    };
    tie.on('message', (message) => {
      const { pid, failed: reason } = message as { pid?: number; failed?: string };
      if (pid !== undefined) onEvent({ kind: 'started', pid });
      else if (reason !== undefined) failed(reason);
    });
    tie.once('error', (error) => failed(error.message));
    tie.once('close', (code, signal) => {
      this.#tie = undefined;
      if (isFailed) return;
      onEvent({ kind: 'ended', code: code ?? 1, signal: signal ?? signalOf(code), said: said.join('\n') });
    });
  }

  /** Tells it to end, and all it started; it is ended when its grace is over. */
  stop(): void {
    this.#send({ stop: true });
  }

  /** Ends it at once. */
  kill(): void {
    this.#send({ kill: true });
  }

  #send(message: object): void {
    if (this.#tie?.connected) this.#tie.send(message, () => undefined);
  }
}

/** The signal that shells' exit codes tell of. */
function signalOf(code: number | null): string | null {
  const found = Object.entries(constants.signals).find(([, number]) => number === (code ?? 0) - 128);
  return found?.[0] ?? null;
}
