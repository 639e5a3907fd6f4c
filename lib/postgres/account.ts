import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** PostgreSQL refuses to run as root: this is who runs it then. */
export interface Account {
  uid: number;
  gid: number;
}

/** The account to run PostgreSQL as: our own, unless we are root. */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = find('postgres');
  if (known) return known;
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'ignore' });
  } catch {
    // A slim image has no useradd: nobody is there always.
  }
  const account = find('postgres') ?? find('nobody');
  if (!account) throw new Error('root cannot run PostgreSQL and this machine has no account to run it as');
  return account;
}

function find(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((row) => row.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** Whether the account can pass through every folder above (and including) this one. */
export function canReach(folder: string, account: Account): boolean {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const passes = uid === account.uid ? mode & 0o100 : gid === account.gid ? mode & 0o010 : mode & 0o001;
    if (!passes) return false;
    if (at === path.dirname(at)) return true;
  }
}
