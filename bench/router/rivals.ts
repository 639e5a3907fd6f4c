import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Beside the sources: compiled files lie in dist/bench/router. */
const FOLDER = path.join(__dirname, '../../../bench/rivals');
const HIVE = path.join(FOLDER, 'node_modules/@graphql-hive/gateway/dist/bin.js');

/**
 * Hive Gateway's program, installed from the registry when it is first wanted.
 * @returns undefined, told on standard error, when it cannot be had
 */
export function hiveGateway(): string | undefined {
  if (existsSync(HIVE)) return HIVE;
  process.stderr.write('installing Hive Gateway to measure against (half a gigabyte, once)\n');
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: FOLDER, stdio: 'ignore' });
    return HIVE;
  } catch {
    process.stderr.write('Hive Gateway cannot be installed: measured against the stock gateway alone\n');
    return undefined;
  }
}

/** How it is started: one process, its Rust planner, its logs quiet. */
export function hiveArguments(supergraph: string, port: number): string[] {
  return [
    'supergraph',
    '--hive-router-runtime',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--fork',
    '1',
    supergraph,
  ];
}
