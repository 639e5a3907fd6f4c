import path from 'node:path';
import { FleetClient, FleetFailure, type Surroundings } from '../../sdk/index.ts';
import { Look } from './look.ts';
import { Platform, type PlatformReady } from './platform.ts';
import type { AgentProgram } from './program.ts';
import { isRepository, Repository } from './repository.ts';
import { Runner } from './runner.ts';
import { seed } from './seeds.ts';
import type { Tell } from './told.ts';

export interface SessionOptions {
  /** The package's folder. */
  root: string;
  data: string;
  /** Folders that were meant; those without a program are told. */
  folders: readonly string[];
  programs: readonly AgentProgram[];
  /** Where a platform runs that is joined; undefined: this machine's is started or joined. */
  url: string | undefined;
  /** Words of the supervisor. */
  words: readonly string[];
  isSeeded: boolean;
  ignored: readonly RegExp[];
  graceMs: number;
  platformEnv: NodeJS.ProcessEnv;
  /** The environment of the agents' programs, for a platform's address. */
  programEnv: (url: string) => NodeJS.ProcessEnv;
  /** The caller's token; asked once the platform is there, which may make it. */
  token: () => string;
  surroundings: Surroundings;
  tell: Tell;
}

const SEED_AGAIN_MS = 2_000;

/** Everything that runs while an agent is written: platform, programs, watches, the look at what happens. Ends in the reverse order. */
export class Session {
  readonly #platform: Platform;
  readonly #over = new AbortController();
  #runners: Runner[] = [];
  #repository: Repository | undefined;
  #looking: Promise<void> = Promise.resolve();
  #end: (failure?: FleetFailure) => void = () => undefined;
  readonly #ended = new Promise<FleetFailure | undefined>((resolve) => {
    this.#end = resolve;
  });

  constructor(private readonly options: SessionOptions) {
    const { root, data, platformEnv: env, words, surroundings, tell } = options;
    this.#platform = new Platform({
      root,
      data,
      env,
      words,
      surroundings,
      onLost: (reason) => {
        tell({ event: 'platform.lost', reason });
        this.#end(new FleetFailure('UNAVAILABLE', 'the platform has ended'));
      },
    });
  }

  /** Asks it to end; a second time, programs are not waited for. */
  close(): void {
    this.#end();
    if (this.#over.signal.aborted) for (const runner of this.#runners) runner.hurry();
  }

  /** Runs until it is asked to end, or the platform is lost. @throws FleetFailure when the platform cannot be started */
  async run(): Promise<void> {
    this.options.tell({ event: 'platform.starting' });
    const starting = this.#start();
    const failed = starting.then(
      () => this.#ended,
      (error: unknown) => error as FleetFailure,
    );
    try {
      const failure = await Promise.race([this.#ended, failed]);
      if (failure) throw failure;
    } finally {
      await this.#stop(starting);
    }
  }

  async #start(): Promise<void> {
    const { url, tell, token, surroundings, programs, folders } = this.options;
    const ready: PlatformReady | undefined = url ? { url, isJoined: true, tookMs: 0 } : await this.#platform.start();
    if (!ready || this.#over.signal.aborted) return;
    tell({ event: 'platform.ready', ...ready });
    const client = new FleetClient({ url: ready.url, token: token(), surroundings });
    this.#looking = new Look(client, tell, this.#over.signal).run().catch((error: FleetFailure) => this.#end(error));
    for (const program of programs) this.#launch(program, ready.url);
    for (const folder of folders) {
      if (!isRepository(folder) && !programs.some((program) => program.folder === folder))
        tell({ event: 'no-program', folder: path.basename(folder) });
    }
    this.#watchRepository();
    if (this.options.isSeeded) await this.#seed(client);
  }

  #launch(program: AgentProgram, url: string): void {
    const { root, programEnv, ignored, graceMs, surroundings, tell } = this.options;
    const runner = new Runner({ root, program, env: programEnv(url), ignored, graceMs, surroundings, tell });
    this.#runners.push(runner);
    runner.start();
  }

  #watchRepository(): void {
    const { root, folders, surroundings, tell } = this.options;
    if (!folders.includes(root) || !isRepository(root)) return;
    this.#repository = new Repository({ root, platform: this.#platform, surroundings, tell });
  }

  async #seed(client: FleetClient): Promise<void> {
    const { surroundings, tell } = this.options;
    while (!this.#over.signal.aborted) {
      try {
        const what = await seed(client, surroundings.nowMs());
        return this.#over.signal.aborted ? undefined : tell({ event: 'seeded', what: what ?? 'are there already' });
      } catch (error) {
        // Samples are no reason to end what works without them.
        if (!(error instanceof FleetFailure)) throw error;
        if (!error.retryable) return tell({ event: 'seeds.failed', reason: error.message });
        await surroundings.sleep(SEED_AGAIN_MS, this.#over.signal);
      }
    }
  }

  /** Agents first, so that the platform hears their farewells. */
  async #stop(starting: Promise<void>): Promise<void> {
    this.options.tell({ event: 'stopping' });
    this.#over.abort();
    await Promise.all([this.#repository?.close(), ...this.#runners.map((runner) => runner.close())]);
    await this.#platform.stop();
    await Promise.allSettled([this.#looking, starting]);
    this.options.tell({ event: 'stopped' });
  }
}
