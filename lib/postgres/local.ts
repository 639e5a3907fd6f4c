import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { messageOf } from '../errors.ts';
import { type Account, canReach, postgresAccount } from './account.ts';
import { type Binaries, postgresBinaries, REACHABLE } from './binaries.ts';
import { awaitGone, isAlive, processesIn, signalAll } from './processes.ts';

/** An embedded PostgreSQL that runs. */
export interface LocalPostgres {
  /** postgres:// of its owner, loopback only. */
  url: string;
  version: string;
  pid: number;
  port: number;
  /** Settles when it ends, however. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

export interface LocalPostgresOptions {
  /** The package's root, for its binaries. */
  root: string;
  /** Folder of everything that is kept; PostgreSQL gets one inside it where its account can reach that. */
  data: string;
  /** The port it had before, so that those who know its address find it again. */
  port?: number | undefined;
  /** True only for tests: an acknowledged write need not survive a power cut. */
  fast?: boolean;
}

const OWNER = 'fleet';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 8_000;

/** Starts the embedded PostgreSQL on a free loopback port; makes its folder at first. Ends what a killed start left behind. */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const { root, data, fast } = options;
  const account = postgresAccount();
  const binaries = postgresBinaries(root, account);
  const folder = databaseFolder(data, account);
  const password = ownerPassword(data);
  await endOrphans(folder);
  if (!existsSync(path.join(folder, 'PG_VERSION'))) await initialise(binaries, folder, password, account);
  const port = options.port ?? (await freePort());
  const child = spawn(binaries.postgres, ['-D', folder, ...tuning(port, fast)], {
    ...account,
    cwd: folder,
    // A group of its own: a Ctrl-C meant for all must not end it before those who still write.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = lastWords(child);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = `postgres://${OWNER}:${password}@127.0.0.1:${port}/${OWNER}`;
  await accepting(url, child, said);
  return {
    url,
    version: binaries.version,
    pid: child.pid as number,
    port,
    ended,
    async stop() {
      child.kill('SIGINT');
      if (!(await settles(ended, STOP_LIMIT_MS))) child.kill('SIGQUIT');
      await ended;
    },
  };
}

function databaseFolder(data: string, account: Account | undefined): string {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const place = realpathSync(data);
  const near = path.join(place, 'postgres');
  if (!account || canReach(place, account)) return made(near, account);
  mkdirSync(REACHABLE, { recursive: true, mode: 0o755 });
  const far = path.join(REACHABLE, `data-${createHash('sha256').update(place).digest('hex').slice(0, 16)}`);
  writeFileSync(path.join(place, 'postgres.moved-to'), `${far}\n`);
  // A folder made anew under an old name has nothing to do with what lay there before.
  if (!existsSync(path.join(place, 'postgres.password'))) rmSync(far, { recursive: true, force: true });
  return made(far, account);
}

function made(folder: string, account: Account | undefined): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
  return folder;
}

function ownerPassword(data: string): string {
  const file = path.join(data, 'postgres.password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** After SIGKILL of a postmaster its backends still hold shared memory, and after SIGKILL of its parent it still runs. */
async function endOrphans(folder: string): Promise<void> {
  const file = path.join(folder, 'postmaster.pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  if (pid > 0 && isAlive(pid) && processesIn(folder).includes(pid)) {
    signalAll([pid], 'SIGINT');
    if (!(await awaitGone([pid], STOP_LIMIT_MS))) signalAll([pid], 'SIGQUIT');
  }
  const left = processesIn(folder);
  if (!left.length) return;
  if (await awaitGone(left, 500)) return;
  signalAll(left, 'SIGTERM');
  if (!(await awaitGone(left, 2_000))) signalAll(left, 'SIGKILL');
  await awaitGone(left, 2_000);
}

async function initialise(
  binaries: Binaries,
  folder: string,
  password: string,
  account: Account | undefined,
): Promise<void> {
  const file = path.join(folder, '..', `.init-${randomBytes(6).toString('hex')}`);
  const passwordFile = account ? path.join('/tmp', path.basename(file)) : file;
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' });
  if (account) chownSync(passwordFile, account.uid, account.gid);
  // An interrupted first start leaves half a folder, which initdb refuses.
  rmSync(folder, { recursive: true, force: true });
  made(folder, account);
  try {
    const args = ['-D', folder, '-U', OWNER, `--pwfile=${passwordFile}`, '-A', 'scram-sha-256', '-E', 'UTF8'];
    const child = spawn(binaries.initdb, [...args, '--locale=C.UTF-8', '--no-sync', '--no-instructions'], {
      ...account,
      cwd: folder,
      env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = lastWords(child);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`initdb failed: ${said()}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function tuning(port: number, fast = false): string[] {
  const options: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 120,
    shared_buffers: '64MB',
    max_wal_size: '512MB',
    // One family of background workers less is memory less: nothing here replicates.
    max_worker_processes: 2,
    max_wal_senders: 0,
    wal_level: 'minimal',
    jit: 'off',
    log_min_messages: 'warning',
    ...(fast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Keeps the last lines a process wrote, for the error's text. */
function lastWords(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-2_000);
  });
  return () => text.trim().split('\n').slice(-3).join(' ');
}

async function accepting(url: string, child: ChildProcess, said: () => string): Promise<void> {
  let failure = '';
  child.once('error', (error) => {
    failure = messageOf(error);
  });
  for (let waitedMs = 0; ; waitedMs += 50) {
    if (child.exitCode !== null || failure) throw new Error(`PostgreSQL did not start: ${failure || said()}`);
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      // The owner's own database: initdb makes only `postgres`.
      return;
    } catch (error) {
      if ((error as { code?: string }).code === '3D000') return await makeDatabase(url);
      if (waitedMs > START_LIMIT_MS) throw new Error(`PostgreSQL did not answer: ${said() || messageOf(error)}`);
    } finally {
      await client.end().catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function makeDatabase(url: string): Promise<void> {
  const address = new URL(url);
  address.pathname = '/postgres';
  const client = new Client({ connectionString: address.href });
  await client.connect();
  await client.query(`create database ${OWNER}`);
  await client.end();
}

function settles(promise: Promise<void>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => resolve(false), limitMs);
    void promise.then(() => {
      clearTimeout(limit);
      resolve(true);
    });
  });
}

/** Ports that this process was given: until somebody listens there the machine may name one twice. */
const given = new Set<number>();

/** A port that is free now, on loopback; each call gives another. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => {
        if (given.has(port)) return resolve(freePort());
        given.add(port);
        resolve(port);
      });
    });
  });
}
