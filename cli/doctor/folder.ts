import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { isAlive } from '../../lib/postgres/processes.ts';
import { FORMAT } from '../supervisor/data-folder.ts';
import { type Check, error, type Finding, type Place, warning } from './check.ts';

const LITTLE = 2 * 1024 ** 3;
/** The embedded PostgreSQL reads folders of this version. */
const POSTGRES_MAJOR = '18';
/** Files whose reader may do everything. */
const SECRETS = ['admin-token', 'secret'];

/** Whether everything that is kept can be kept. */
export const checkFolder: Check = (place) => {
  const { data } = place;
  if (!existsSync(data)) return [...parent(place), ...room(place)];
  if (!statSync(data).isDirectory()) {
    return [error('data-no-folder', `${data} is a file`, 'set FLEET_DATA to a folder')];
  }
  return [...writable(data), ...secrets(data), ...contents(data), ...room(place)];
};

/** The nearest folder above that is there must take a new one. */
function parent({ data }: Place): Finding[] {
  let above = path.dirname(data);
  while (!existsSync(above)) above = path.dirname(above);
  return statSync(above).isDirectory()
    ? writable(above)
    : [error('data-no-folder', `${above} is a file, so ${data} cannot be made`, 'set FLEET_DATA to a folder')];
}

function writable(folder: string): Finding[] {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return [];
  } catch {
    return [
      error(
        'data-not-writable',
        `nothing can be written in ${folder}`,
        `chown it to who starts the platform, or set FLEET_DATA`,
      ),
    ];
  }
}

function secrets(data: string): Finding[] {
  return SECRETS.map((name) => path.join(data, name))
    .filter((file) => existsSync(file) && statSync(file).mode & 0o077)
    .map((file) =>
      error(
        'secret-readable',
        `others on this machine may read ${file}`,
        `chmod 600 ${file}; if somebody did, remove it: the next start makes another`,
      ),
    );
}

function contents(data: string): Finding[] {
  const findings: Finding[] = [];
  const read = <T>(name: string): T | undefined => {
    const file = path.join(data, name);
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as T;
    } catch (cause) {
      findings.push(
        error(
          'data-broken',
          `${file} is not JSON: ${messageOf(cause)}`,
          `remove ${file}: the next start writes it anew`,
        ),
      );
      return undefined;
    }
  };
  const { format = FORMAT } = read<{ format: number }>('format.json') ?? {};
  if (format > FORMAT) {
    findings.push(
      error(
        'data-newer',
        `${data} was written by a newer fleetgraph (format ${format}, this one knows ${FORMAT})`,
        'update fleetgraph, or set FLEET_DATA to another folder',
      ),
    );
  }
  read('children.json');
  const owner = read<{ pid: number }>('supervisor.json');
  if (owner && !isAlive(owner.pid)) {
    findings.push(
      warning(
        'data-left',
        `${data} was left by process ${owner.pid}, which did not stop in order`,
        'nothing: the next start ends what it left and goes on',
      ),
    );
  }
  const version = path.join(data, 'postgres', 'PG_VERSION');
  const major = existsSync(version) ? readFileSync(version, 'utf8').trim() : POSTGRES_MAJOR;
  if (major !== POSTGRES_MAJOR) {
    findings.push(
      error(
        'postgres-other',
        `the database in ${data} is PostgreSQL ${major}'s, the embedded one is ${POSTGRES_MAJOR}`,
        'dump it with its own version and restore it, or set FLEET_DATA to another folder',
      ),
    );
  }
  return findings;
}

function room({ data, freeBytes }: Place): Finding[] {
  const free = freeBytes(data);
  if (free === undefined || free >= LITTLE) return [];
  const what = `${(free / 1024 ** 3).toFixed(1)} GiB are left for ${data}: telemetry is refused before a disk is full`;
  return [error('disk-full', what, 'make room, keep less (`fleet retention`), or set FLEET_DATA to another disk')];
}
