import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../lib/postgres/local.ts';

const ROOT = path.resolve(__dirname, '../..').replace(/\/dist$/, '');

/** What a GraphQL server answered. */
export interface Answer {
  data?: ReturnType<typeof JSON.parse>;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string; retryAfterMs?: number } }[];
}

/** A whole platform, started as a newcomer starts it, on a folder and a port of its own. */
export class SpawnedPlatform {
  readonly data: string;
  #supervisor: ChildProcess | undefined;
  #said = '';
  #port = 0;

  constructor(private readonly args: readonly string[]) {
    this.data = mkdtempSync(path.join(tmpdir(), 'fleetgraph-chaos-'));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get token(): string {
    return readFileSync(path.join(this.data, 'admin-token'), 'utf8').trim();
  }

  /** What the supervisor printed so far. */
  get said(): string {
    return this.#said;
  }

  get supervisorPid(): number {
    return this.#supervisor?.pid as number;
  }

  /** @returns milliseconds from the command to its announcement */
  async start(env: Record<string, string> = {}): Promise<number> {
    this.#port ||= await freePort();
    this.#said = '';
    const startedMs = performance.now();
    const child = spawn(process.execPath, ['dist/cli/start.js', ...this.args], {
      cwd: ROOT,
      env: { ...process.env, PORT: String(this.#port), FLEET_DATA: this.data, FLEET_WEBHOOK_PRIVATE: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#supervisor = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString();
      });
    }
    await wait(() => this.#said.includes('Ctrl-C') || child.exitCode !== null, 120_000, 'the platform is ready');
    if (child.exitCode !== null) throw new Error(`the platform did not start: ${this.#said}`);
    return performance.now() - startedMs;
  }

  /** The pid of a process of the platform now: `router`, `state`, …, `postgres`; 0 when it is away. */
  pid(name: string): number {
    if (name === 'postgres') {
      const moved = path.join(this.data, 'postgres.moved-to');
      const folder = existsSync(moved) ? readFileSync(moved, 'utf8').trim() : path.join(this.data, 'postgres');
      const file = path.join(folder, 'postmaster.pid');
      return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
    }
    const children = JSON.parse(readFileSync(path.join(this.data, 'children.json'), 'utf8')) as {
      name: string;
      pid: number;
    }[];
    return children.find((child) => child.name === name)?.pid ?? 0;
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }

  async ask(query: string, variables: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return (await this.askTimed(query, variables, headers)).answer;
  }

  /** As `ask`, with the time that the router says it took, milliseconds. */
  async askTimed(query: string, variables: object = {}, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}`, ...headers },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(15_000),
    });
    const routerMs = Number(/dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1] ?? Number.NaN);
    return { answer: (await response.json()) as Answer, routerMs };
  }

  /** Signals the supervisor and waits until it has ended. @returns its exit code */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#supervisor;
    if (!child) return null;
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.kill(signal);
    return child.exitCode ?? (await ended);
  }

  remove(): void {
    const moved = path.join(this.data, 'postgres.moved-to');
    if (existsSync(moved)) rmSync(readFileSync(moved, 'utf8').trim(), { recursive: true, force: true });
    rmSync(this.data, { recursive: true, force: true });
  }
}

/** @throws when the condition does not hold within `limitMs` */
export async function wait(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedMs > limitMs) throw new Error(`this did not happen within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - startedMs;
}
