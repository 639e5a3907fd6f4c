import path from 'node:path';
import type { Surroundings } from '../../sdk/index.ts';
import { FolderWatch } from './folder-watch.ts';
import { FRESH, type ProgramEffect, type ProgramEvent, type ProgramState, step } from './policy.ts';
import { type AgentProgram, pathFor } from './program.ts';
import { TiedProgram } from './tied-program.ts';
import type { Tell } from './told.ts';

export interface RunnerOptions {
  /** The package's folder. */
  root: string;
  program: AgentProgram;
  env: NodeJS.ProcessEnv;
  ignored: readonly RegExp[];
  graceMs: number;
  surroundings: Surroundings;
  tell: Tell;
}

/** Keeps one agent's program running as its source changes. */
export class Runner {
  #state: ProgramState = FRESH;
  readonly #tied: TiedProgram;
  readonly #watch: FolderWatch;
  #gone: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => {
    this.#gone = resolve;
  });

  constructor(private readonly options: RunnerOptions) {
    const { root, program, env, ignored, graceMs, surroundings, tell } = options;
    const { name, words, folder } = program;
    this.#tied = new TiedProgram({
      root,
      words,
      folder,
      env: { ...env, PATH: pathFor(folder, env['PATH']) },
      graceMs,
      onLine: (text, isError) => tell({ event: 'line', program: name, text, isError }),
      onEvent: (event) => this.#take(event),
    });
    this.#watch = new FolderWatch({
      folder,
      ignored,
      surroundings,
      onChange: (files) => this.#take({ kind: 'changed', files }),
      onError: (error) => tell({ event: 'watch.failed', folder: path.basename(folder), reason: error.message }),
    });
  }

  start(): void {
    this.#take({ kind: 'start' });
  }

  /** Ends the program and resolves when it is gone. */
  close(): Promise<void> {
    this.#watch.close();
    this.#take({ kind: 'close' });
    return this.#ended;
  }

  /** Ends it at once rather than when it likes. */
  hurry(): void {
    this.#take({ kind: 'hurry' });
  }

  #take(event: ProgramEvent): void {
    const [state, effects] = step(this.#state, event, this.options.surroundings.nowMs());
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    if (state.phase === 'gone') this.#gone();
  }

  #do(effect: ProgramEffect): void {
    const { program, tell } = this.options;
    if (effect.do !== 'tell') {
      this.#tied[effect.do]();
      return;
    }
    const { do: _, what, ...rest } = effect;
    tell({ event: `program.${what}`, program: program.name, ...rest } as Parameters<Tell>[0]);
  }
}
