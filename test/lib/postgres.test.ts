import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { type LocalPostgres, startLocalPostgres } from '../../lib/postgres/local.ts';
import { isAlive, processesIn, signalAll } from '../../lib/postgres/processes.ts';
import { houseDatabaseUrl, prepareDatabase } from '../../lib/postgres/roles.ts';
import { TEST_SECRET } from '../support/database.ts';

const ROOT = path.resolve(__dirname, '../..');
const folder = (data: string) => {
  const moved = path.join(data, 'postgres.moved-to');
  return existsSync(moved) ? readFileSync(moved, 'utf8').trim() : path.join(data, 'postgres');
};

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the embedded PostgreSQL', () => {
  // mkdtemp makes it 0700: as root, PostgreSQL’s own account cannot reach it.
  const data = mkdtempSync(path.join(tmpdir(), 'fleetgraph-closed-'));
  let postgres: LocalPostgres;
  beforeAll(async () => {
    postgres = await startLocalPostgres({ root: ROOT, data });
  });
  afterAll(async () => {
    await postgres.stop();
    rmSync(folder(data), { recursive: true, force: true });
    rmSync(data, { recursive: true, force: true });
  });

  test('starts under a folder that is closed to others', async () => {
    expect(await ask(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(postgres.version).toMatch(/^18\./);
  });

  test('killed, it starts anew on the same port with what was committed', async () => {
    await ask(postgres.url, 'create table kept as select 7 as n');
    process.kill(postgres.pid, 'SIGKILL');
    await postgres.ended;
    postgres = await startLocalPostgres({ root: ROOT, data, port: postgres.port });
    expect(await ask(postgres.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('one that was left running is ended by the next start', async () => {
    const left = postgres.pid;
    postgres = await startLocalPostgres({ root: ROOT, data });
    expect(isAlive(left)).toBe(false);
    expect(await ask(postgres.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  test('gives each house a role that owns just its own schema, also twice', async () => {
    await prepareDatabase(postgres.url, ['agents', 'logs'], TEST_SECRET);
    await prepareDatabase(postgres.url, ['agents', 'logs'], TEST_SECRET);
    const [agents, logs] = ['agents', 'logs'].map((house) => houseDatabaseUrl(postgres.url, house, TEST_SECRET)) as [
      string,
      string,
    ];
    await ask(agents, 'create table agents.mine as select 1 as n');
    await expect(ask(logs, 'select * from agents.mine')).rejects.toThrow('permission denied');
    await expect(ask(logs, 'create table public.theirs (n int)')).rejects.toThrow('permission denied');
    expect(() => houseDatabaseUrl('postgres://x@y/no-name', 'logs', TEST_SECRET)).toThrow(
      'cannot be the name of a role',
    );
  });
});

test('processes that are gone do not count', () => {
  expect(processesIn('/nowhere')).toEqual([]);
  signalAll([2 ** 22 - 3], 'SIGTERM');
  expect(isAlive(2 ** 22 - 3)).toBe(false);
});
