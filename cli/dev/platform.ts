import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FleetFailure, type Surroundings } from '../../sdk/index.ts';
import { readLines } from '../wrap/lines.ts';

export interface PlatformOptions {
  /** The package's folder. */
  root: string;
  /** The folder the platform keeps its data in. */
  data: string;
  env: NodeJS.ProcessEnv;
  /** Words of the supervisor. */
  words: readonly string[];
  surroundings: Surroundings;
  /** Told when it ends though nobody asked for it. */
  onLost: (reason: string) => void;
}

export interface PlatformReady {
  url: string;
  /** Whether another process runs it. */
  isJoined: boolean;
  tookMs: number;
}

/** The supervisor's entry, relative to the package. */
const ENTRY = 'dist/cli/start.js';
/** Its exit code when another one holds the data folder (docs/operating.md). */
const IN_USE = 73;
const LOOK_MS = 200;
const READY_LIMIT_MS = 120_000;
/** Longer than all its own limits together: demo, router, houses, PostgreSQL. */
const STOP_LIMIT_MS = 30_000;
const LAST_LINES = 8;

/** The platform on this machine: started as a child that ends with us, or joined where one runs on the data folder. */
export class Platform {
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isStopping = false;
  #isReady = false;
  #answers: ((message: { restarted?: string[]; refused?: string }) => void)[] = [];

  constructor(private readonly options: PlatformOptions) {}

  /** Whether it is ours to restart and to stop. */
  get isOurs(): boolean {
    return this.#child !== undefined;
  }

  /**
   * Starts it, or joins the one that holds the data folder; resolves when it answers. Undefined when it was stopped meanwhile.
   * @throws FleetFailure UNAVAILABLE with the supervisor's own words
   */
  async start(): Promise<PlatformReady | undefined> {
    const { surroundings } = this.options;
    const startedMs = surroundings.nowMs();
    for (;;) {
      const outcome = await this.#launch();
      if (this.#isStopping) return undefined;
      const tookMs = () => surroundings.nowMs() - startedMs;
      if ('url' in outcome) {
        this.#isReady = true;
        return { url: outcome.url, isJoined: false, tookMs: tookMs() };
      }
      if (outcome.code !== IN_USE)
        throw new FleetFailure('UNAVAILABLE', outcome.said || `the platform ended with ${outcome.code}`);
      const url = await this.#joined(startedMs);
      if (url) return { url, isJoined: true, tookMs: tookMs() };
      if (this.#isStopping) return undefined;
    }
  }

  /**
   * Starts processes anew with the code that is there now.
   * @param parts processes or houses
   * @returns the names of the processes
   * @throws FleetFailure UNAVAILABLE when they do not come back
   */
  async restart(parts: readonly string[]): Promise<string[]> {
    const child = this.#child;
    if (!child?.connected) throw new FleetFailure('UNAVAILABLE', 'the platform is not ours to restart');
    const answer = new Promise<{ restarted?: string[]; refused?: string }>((resolve) => this.#answers.push(resolve));
    child.send({ restart: parts }, () => undefined);
    const { restarted, refused } = await answer;
    if (!restarted) throw new FleetFailure('UNAVAILABLE', refused ?? 'the platform has ended');
    return restarted;
  }

  /** Stops what we started, and waits until it is gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (!child) return;
    if (child.connected) child.send({ stop: true }, () => undefined);
    else child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(limit);
  }

  #launch(): Promise<{ url: string } | { code: number; said: string }> {
    const { root, env, words, onLost } = this.options;
    const child = spawn(process.execPath, ['--enable-source-maps', ENTRY, ...words], {
      cwd: root,
      env,
      // A group of its own: a Ctrl-C in our terminal is ours to pass on, in our order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    const said: string[] = [];
    if (child.stderr) readLines(child.stderr, { onLine: (line) => said.splice(0, said.push(line) - LAST_LINES) });
    this.#ended = new Promise((resolve) => child.once('close', () => resolve()));
    return new Promise((resolve) => {
      child.on('message', (message) => {
        const { ready, url = '', ...answer } = message as { ready?: boolean; url?: string };
        if (ready) resolve({ url });
        else this.#answers.shift()?.(answer);
      });
      child.once('error', (error) => resolve({ code: 1, said: error.message }));
      child.once('close', (code) => {
        this.#child = undefined;
        for (const answer of this.#answers.splice(0)) answer({});
        if (this.#isReady && !this.#isStopping) onLost(said.join('\n') || `the platform ended with ${code}`);
        resolve({ code: code ?? 1, said: said.join('\n') });
      });
    });
  }

  /** The address of the platform that holds the data folder, once it answers; undefined when it has let the folder go. */
  async #joined(startedMs: number): Promise<string | undefined> {
    const { surroundings } = this.options;
    while (!this.#isStopping) {
      const owner = this.#owner();
      if (!owner) return undefined;
      if (owner.url && (await this.#isAnswering(owner.url))) return owner.url;
      if (surroundings.nowMs() - startedMs > READY_LIMIT_MS)
        throw new FleetFailure('UNAVAILABLE', `the platform on ${this.options.data} does not answer`);
      await surroundings.sleep(LOOK_MS);
    }
    return undefined;
  }

  #owner(): { url?: string } | undefined {
    try {
      return JSON.parse(readFileSync(path.join(this.options.data, 'supervisor.json'), 'utf8')) as { url?: string };
    } catch {
      // It has let the folder go.
      return undefined;
    }
  }

  async #isAnswering(url: string): Promise<boolean> {
    const answer = await this.options.surroundings.fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }
}
