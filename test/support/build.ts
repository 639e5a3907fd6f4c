import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './until.ts';

const ROOT = path.resolve(__dirname, '../..');

/** Emits dist/ once for this run of tests, however many files start processes. Types are another check's business. */
export async function builtOnce(): Promise<void> {
  const place = process.env['TEST_FOLDER'] as string;
  const built = path.join(place, 'built');
  try {
    mkdirSync(path.join(place, 'building'));
  } catch {
    await until(() => existsSync(built), 120_000);
    return;
  }
  spawnSync(path.join(ROOT, 'node_modules/.bin/tsc'), [], { cwd: ROOT, stdio: 'ignore' });
  writeFileSync(built, '');
}
