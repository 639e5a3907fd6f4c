import { createServer } from 'node:net';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { readFlagsFile } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import { freePort, type LocalPostgres, startLocalPostgres } from '../../lib/postgres/local.ts';
import { prepareDatabase } from '../../lib/postgres/roles.ts';
import { isLoopback, type Settings } from '../../lib/settings/index.ts';
import { YOUNG_GENERATION } from '../../router/young-generation.ts';
import { HOUSE_NAMES, housesOf, MADE_BY_SUPERVISOR, processNames } from '../platform/processes.ts';
import { flagsFile, packageRoot, processLog } from '../platform/surroundings.ts';
import { Child } from './child.ts';
import { DataFolder } from './data-folder.ts';
import { EXIT, StartFailure } from './failure.ts';
import type { Progress } from './progress.ts';

/** Settings that are made anew at each start where nobody gave them. */
const MADE = ['FLEET_HOUSES', 'DATABASE_URL', 'PORT'];
const READY_LIMIT_MS = 120_000;
const RESTART_LIMIT_MS = 3_000;

export interface SupervisorOptions {
  settings: Settings;
  env: Readonly<Record<string, string | undefined>>;
  demo: boolean;
  split: boolean;
  progress: Progress;
}

/** Everything on one machine: engines, processes, the demo fleet; what ends is started again. */
export class Supervisor {
  readonly #data: DataFolder;
  readonly #log: Log;
  readonly #root = packageRoot();
  readonly #children: Child[] = [];
  #demo: Child | undefined;
  #postgres: LocalPostgres | undefined;
  #stopping = false;
  #starting: Promise<void> | undefined;
  /** The database's way back, after it ended. */
  #reviving: Promise<void> | undefined;
  url = '';
  token: { value: string; isNew: boolean } = { value: '', isNew: false };

  constructor(private readonly options: SupervisorOptions) {
    this.#data = new DataFolder(path.resolve(options.settings.FLEET_DATA));
    this.#log = processLog('supervisor', options.settings).log;
  }

  /** The database's version, for the announcement. */
  get postgresVersion(): string {
    return this.#postgres ? `PostgreSQL ${this.#postgres.version}` : 'PostgreSQL by URL';
  }

  /** Returns early, with less running, when it is stopped meanwhile. @throws StartFailure with one line and an exit code */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { settings, progress } = this.options;
    refuseOpenDoor(settings);
    await this.#data.take();
    await refuseTakenPort(settings);
    refuseBadFlags(settings);
    const secret = settings.FLEET_SECRET ?? this.#data.secret('secret').value;
    this.token = settings.FLEET_ADMIN_TOKEN
      ? { value: settings.FLEET_ADMIN_TOKEN, isNew: false }
      : this.#data.secret('admin-token');
    const port = settings.PORT || (await freePort());
    this.url = `http://${settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST}:${port}`;
    this.#data.announce(this.url);
    if (this.#stopping) return;
    const database = await progress.step('PostgreSQL', () => this.#database(secret));
    const env = await this.#environment(secret, database, port);
    if (this.#stopping) return;
    const names = processNames(this.options.split, settings.CLICKHOUSE_URL !== undefined);
    for (const name of ['router', ...names]) this.#launch(name, ['dist/cli/run.js', name], env);
    await progress.step(['router', ...names].join(', '), () => this.#ready());
    if (this.#stopping) return;
    if (this.options.demo) {
      this.#demo = this.#launch('demo', ['dist/fleet/main.js'], this.#demoEnvironment(env), true);
    }
    this.#log.info('platform.ready', { url: this.url });
  }

  /** Demo first, then the router, then the houses; PostgreSQL last. */
  async stop(): Promise<void> {
    this.#stopping = true;
    // What is being started now would be missed: it is stopped once it is there. A start that failed has said why.
    await this.#starting?.catch(() => undefined);
    await this.#reviving;
    if (!this.#data.isTaken) return;
    await this.#demo?.stop(2_000);
    const [router, ...houses] = this.#children.filter((child) => child !== this.#demo);
    await router?.stop(4_000);
    await Promise.all(houses.map((child) => child.stop(3_000)));
    await this.#postgres?.stop();
    this.#data.release();
    this.#log.info('platform.stopped');
  }

  /**
   * Starts processes anew, with the code that is there now; resolves when all is ready again.
   * @param parts names of processes, or of houses: the process that one lives in
   * @returns the processes
   */
  async restart(parts: readonly string[]): Promise<string[]> {
    const isMeant = ({ name }: Child) => parts.includes(name) || parts.some((part) => housesOf(name)?.includes(part));
    const meant = this.#children.filter(isMeant);
    // Together: one after the other, each would be waited for by the others' callers.
    await Promise.all(meant.map((child) => child.restart(RESTART_LIMIT_MS)));
    await this.#ready();
    return meant.map(({ name }) => name);
  }

  /** After a start that failed: ends what runs, and leaves the folder to whoever holds it. */
  async abandon(): Promise<void> {
    await this.stop();
  }

  #launch(name: string, args: string[], env: Record<string, string>, mayEnd = false): Child {
    const child = new Child({
      name,
      args: name === 'router' ? [...YOUNG_GENERATION, ...args] : args,
      env: { ...env, ...(name === 'telemetry' ? { UV_THREADPOOL_SIZE: '12' } : {}) },
      root: this.#root,
      log: this.#log,
      onChange: () => this.#remember(),
      mayEnd,
    });
    this.#children.push(child);
    child.start();
    return child;
  }

  #remember(): void {
    this.#data.remember(this.#children.flatMap(({ name, pid }) => (pid ? [{ name, pid }] : [])));
  }

  async #database(secret: string): Promise<string> {
    const { DATABASE_URL } = this.options.settings;
    const url = DATABASE_URL ?? (await this.#startPostgres());
    await prepareDatabase(url, HOUSE_NAMES, secret);
    // Children are told the address alone: each house has a role of its own.
    const address = new URL(url);
    address.username = '';
    address.password = '';
    return address.href;
  }

  async #startPostgres(): Promise<string> {
    const { FLEET_DATA } = this.options.settings;
    const postgres = await startLocalPostgres({
      root: this.#root,
      data: path.resolve(FLEET_DATA),
      port: this.#postgres?.port,
    });
    this.#postgres = postgres;
    void postgres.ended.then(() => {
      this.#reviving = this.#restartPostgres();
    });
    return postgres.url;
  }

  async #restartPostgres(): Promise<void> {
    while (!this.#stopping) {
      this.#log.error('child.ended', { child: 'database', error: 'the database ended' });
      try {
        await this.#startPostgres();
        return;
      } catch (error) {
        this.#log.error('child.failed', { child: 'database', error: messageOf(error) });
        await pause(500);
      }
    }
  }

  async #environment(secret: string, database: string, port: number): Promise<Record<string, string>> {
    const addresses: string[] = [];
    for (const name of HOUSE_NAMES) addresses.push(`${name}=http://127.0.0.1:${await freePort()}`);
    const { FLEET_DATA } = this.options.settings;
    const given = Object.entries(this.options.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return {
      ...Object.fromEntries(given),
      FLEET_DATA: path.resolve(FLEET_DATA),
      FLEET_SECRET: secret,
      FLEET_ADMIN_TOKEN: this.token.value,
      FLEET_HOUSES: addresses.join(','),
      DATABASE_URL: database,
      PORT: String(port),
      [MADE_BY_SUPERVISOR]: MADE.filter((name) => !this.options.env[name] || this.options.env[name] === '0').join(','),
      APOLLO_TELEMETRY_DISABLED: 'true',
    };
  }

  #demoEnvironment(env: Record<string, string>): Record<string, string> {
    const internal = ['FLEET_SECRET', 'FLEET_SECRET_ACCEPTED', 'DATABASE_URL', 'FLEET_ADMIN_TOKEN'];
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !internal.includes(name)));
    return { ...rest, FLEET_URL: this.url, FLEET_TOKEN: this.token.value };
  }

  async #ready(): Promise<void> {
    for (let waitedMs = 0; waitedMs < READY_LIMIT_MS; waitedMs += 20) {
      if (this.#stopping) return;
      // Asking earlier would only open the router's breakers.
      if (!this.#children.every((child) => child.isReady || child === this.#demo)) {
        await pause(20);
        continue;
      }
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return;
      await pause(20);
    }
    throw new StartFailure(
      EXIT.SOFTWARE,
      `not ready within two minutes: see ${path.resolve(this.options.settings.FLEET_DATA, 'logs')}`,
    );
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function refuseOpenDoor({ HOST, FLEET_ADMIN_TOKEN }: Settings): void {
  if (!isLoopback(HOST) && !FLEET_ADMIN_TOKEN) {
    throw new StartFailure(
      EXIT.SETTINGS,
      `HOST ${HOST} is reachable from elsewhere: set FLEET_ADMIN_TOKEN, or keep HOST at 127.0.0.1`,
    );
  }
}

/** Told once and here: each child would be started again and again. */
function refuseBadFlags(settings: Settings): void {
  try {
    readFlagsFile(flagsFile(settings));
  } catch (error) {
    throw new StartFailure(EXIT.SETTINGS, messageOf(error));
  }
}

function refuseTakenPort({ HOST, PORT }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const cause =
        error.code === 'EADDRINUSE' ? `port ${PORT} is taken` : `cannot listen on ${HOST}:${PORT} (${error.code})`;
      reject(new StartFailure(EXIT.PORT, `${cause}: stop what uses it, or set PORT to another`));
    });
    probe.listen(PORT, HOST, () => probe.close(() => resolve()));
  });
}
