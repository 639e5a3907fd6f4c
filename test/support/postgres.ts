import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LocalPostgres, startLocalPostgres } from '../../lib/postgres/local.ts';

let postgres: LocalPostgres | undefined;
let folder = '';

/** jest's globalSetup: one PostgreSQL for the whole run. */
export default async function start(): Promise<void> {
  folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-test-'));
  postgres = await startLocalPostgres({ root: path.resolve(__dirname, '../..'), data: folder, fast: true });
  process.env['TEST_POSTGRES'] = postgres.url;
  process.env['TEST_FOLDER'] = folder;
}

/** jest's globalTeardown. */
export async function stop(): Promise<void> {
  await postgres?.stop();
  const moved = path.join(folder, 'postgres.moved-to');
  if (existsSync(moved)) rmSync(readFileSync(moved, 'utf8').trim(), { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
