import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Chance } from '../../fleet/chance.ts';
import { freePort } from '../../lib/postgres/local.ts';
import { processesIn } from '../../lib/postgres/processes.ts';
import { SpawnedPlatform, wait } from '../support/spawned-platform.ts';
import { type Scenario, verdict } from './verdict.ts';

const ROOT = path.resolve(__dirname, '../..').replace(/\/dist$/, '');
const MARK = 'DEV_CHAOS_MARK';
/** A killed `dev` cannot stop anything: its children do, by their own limits. */
const LIMIT_MS = 40_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is done to a session, and when. */
interface Round {
  /** While the platform starts, once all runs, or while the program is started anew. */
  moment: 'start' | 'ready' | 'reload';
  /** A terminal's Ctrl-C reaches the whole group; `kill` only the parent; SIGKILL asks nobody. */
  how: 'group' | 'parent' | 'twice' | 'SIGKILL';
  isJoined: boolean;
  afterMs: number;
}

/** Ctrl-C of `fleet dev` at any moment: no process is left, the port and the data folder are free, a platform that was joined goes on. */
export const dev: Scenario = {
  name: 'dev',
  async run(short) {
    const rounds = roundsOf(short ? 5 : 100).slice(...partOf(process.argv));
    const lastMs = performance.now() + minutesOf(process.argv) * 60_000;
    const joined = new SpawnedPlatform(['--no-demo']);
    const place = new Place();
    const found = { orphans: 0, taken: 0, locked: 0, slow: 0, joinedHurt: 0, endedMs: [] as number[] };
    try {
      if (rounds.some(({ isJoined }) => isJoined)) await joined.start();
      for (const round of rounds) {
        if (performance.now() > lastMs) break;
        const session = new DevSession(place, round.isJoined ? joined : undefined);
        const ended = await session.live(round);
        found.endedMs.push(ended.tookMs);
        console.log(
          `  ${found.endedMs.length}: ${JSON.stringify(round)} ended after ${ended.tookMs} ms, ${ended.left.length} left`,
        );
        found.slow += Number(ended.tookMs > LIMIT_MS);
        found.orphans += ended.left.length;
        if (ended.left.length) console.log(`  left by ${JSON.stringify(round)}: ${ended.left.map(wordsOf).join('; ')}`);
        if (!round.isJoined) {
          found.taken += Number(!(await isFree(place.port)));
          found.locked += Number(existsSync(path.join(place.data, 'supervisor.json')));
        } else found.joinedHurt += Number(!(await joined.isReady()));
        for (const pid of ended.left) process.kill(pid, 'SIGKILL');
      }
      const sorted = [...found.endedMs].sort((a, b) => a - b);
      return [
        verdict('sessions ended', `${sorted.length} of ${rounds.length}`, sorted.length > 0),
        verdict('… processes left', found.orphans, found.orphans === 0),
        verdict('… port still taken', found.taken, found.taken === 0),
        verdict('… data folder still locked', found.locked, found.locked === 0),
        verdict('… joined platforms that did not go on', found.joinedHurt, found.joinedHurt === 0),
        verdict('… took longer than 40 s', found.slow, found.slow === 0),
        verdict('ended after, ms: median, longest', `${sorted[sorted.length >> 1]}, ${sorted.at(-1)}`, true),
      ];
    } finally {
      await joined.stop();
      joined.remove();
      place.remove();
    }
  },
};

/** `--rounds=26-50` runs these of them, `--minutes=4` no longer than that: for a machine that others use too. */
function partOf(args: readonly string[]): [from: number, to?: number] {
  const [, from = '1', to] = args.map((arg) => /^--rounds=(\d+)-(\d+)$/.exec(arg)).find((found) => found) ?? [];
  return [Number(from) - 1, ...(to ? [Number(to)] : [])] as [number, number?];
}

function minutesOf(args: readonly string[]): number {
  const [, minutes] = args.map((arg) => /^--minutes=([\d.]+)$/.exec(arg)).find((found) => found) ?? [];
  return minutes === undefined ? Number.POSITIVE_INFINITY : Number(minutes);
}

/** By one seed: every moment with every way, in turn. */
function roundsOf(count: number): Round[] {
  const chance = new Chance(5);
  const moments = ['start', 'ready', 'reload'] as const;
  const ways = ['group', 'parent', 'twice', 'group', 'SIGKILL'] as const;
  return Array.from({ length: count }, (_, at) => {
    const moment = moments[at % moments.length] as Round['moment'];
    const longMs = { start: 4_000, ready: 300, reload: 600 }[moment];
    // Every other one of those that wait for all to run joins what runs already: they end sooner.
    const isJoined = moment !== 'start' && at % 2 === 0;
    return {
      moment,
      how: ways[at % ways.length] as Round['how'],
      isJoined,
      afterMs: Math.floor(chance.next() * longMs),
    };
  });
}

/** A project, and where its platform lives: the same for all rounds, so that each finds it free. */
class Place {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-dev-'));
  readonly data = path.join(this.folder, '.data');
  readonly source = path.join(this.folder, 'agent.js');
  port = 0;

  constructor() {
    const library = JSON.stringify(path.join(ROOT, 'dist/sdk/index.js'));
    writeFileSync(
      path.join(this.folder, 'package.json'),
      JSON.stringify({ name: 'stubborn', scripts: { agent: 'node agent.js & wait' } }),
    );
    writeFileSync(
      this.source,
      `const { connect } = require(${library});
       const { FLEET_URL: url, FLEET_TOKEN: token } = process.env;
       require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
       connect({ url, token, name: 'stubborn', kind: 'stubborn', version: '1.0.0' }).then((agent) =>
         process.once('SIGTERM', () => agent.close().then(() => process.exit(0))));\n`,
    );
  }

  get databaseFolder(): string {
    const moved = path.join(this.data, 'postgres.moved-to');
    return existsSync(moved) ? readFileSync(moved, 'utf8').trim() : path.join(this.data, 'postgres');
  }

  remove(): void {
    rmSync(this.databaseFolder, { recursive: true, force: true });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

class DevSession {
  readonly #mark = randomUUID();
  #child: ChildProcess | undefined;
  #said = '';

  constructor(
    private readonly place: Place,
    private readonly joined: SpawnedPlatform | undefined,
  ) {}

  /** Starts it, does to it what the round says, and looks what is left. */
  async live(round: Round): Promise<{ tookMs: number; left: number[] }> {
    const child = await this.#start();
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (round.moment !== 'start') {
      await wait(() => this.#said.includes('"program.started"'), 120_000, `the program runs: ${this.#said}`);
      if (round.moment === 'reload') appendFileSync(this.place.source, '//\n');
    }
    await pause(round.afterMs);
    const startedMs = performance.now();
    this.#signal(child.pid as number, round.how);
    if (round.how === 'twice') await pause(200);
    if (round.how === 'twice') this.#signal(child.pid as number, 'group');
    await exited;
    // What was asked to end is gone when `dev` is; what was left by a SIGKILL ends by itself.
    const limitMs = round.how === 'SIGKILL' ? LIMIT_MS : 1_000;
    await wait(() => !this.#left().length, limitMs, 'all is gone').catch(() => 0);
    return { tookMs: Math.round(performance.now() - startedMs), left: this.#left() };
  }

  async #start(): Promise<ChildProcess> {
    const { place, joined } = this;
    place.port ||= await freePort();
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli/fleet.js'), 'dev', '--json', '--no-demo'], {
      cwd: place.folder,
      env: { ...process.env, FLEET_DATA: joined?.data ?? place.data, PORT: String(place.port), [MARK]: this.#mark },
      // A terminal's foreground group.
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.on('data', (text: Buffer) => {
      this.#said += text.toString();
    });
    this.#child = child;
    return child;
  }

  #signal(pid: number, how: Round['how']): void {
    if (this.#child?.exitCode !== null) return;
    const whom = how === 'group' || how === 'twice' ? -pid : pid;
    process.kill(whom, how === 'SIGKILL' ? 'SIGKILL' : 'SIGINT');
  }

  /** Processes of the session: by their environment, which all inherit, and PostgreSQL's, which writes over its own, by their folder. */
  #left(): number[] {
    const marked = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && this.#isMarked(pid));
    const database = this.joined ? [] : processesIn(this.place.databaseFolder);
    return [...new Set([...marked.map(Number), ...database])];
  }

  #isMarked(pid: string): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${this.#mark}`);
    } catch {
      // It ended while we looked.
      return false;
    }
  }
}

function wordsOf(pid: number): string {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
  } catch {
    return `${pid}`;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
