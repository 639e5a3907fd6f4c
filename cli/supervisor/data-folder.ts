import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { awaitGone, isAlive, signalAll, startedAt } from '../../lib/postgres/processes.ts';
import { EXIT, StartFailure } from './failure.ts';

/** What this code writes; an older folder is migrated by the houses, a newer one is refused. */
export const FORMAT = 1;

interface Running {
  name?: string;
  pid: number;
  started?: string | undefined;
}

/** The folder of everything that is kept: taken by one supervisor at a time. */
export class DataFolder {
  /** Whether this process holds it. */
  isTaken = false;

  constructor(readonly folder: string) {}

  /**
   * Takes the folder for this process, and ends children of a start that was killed.
   * @throws StartFailure when it is in use or newer than the code
   */
  async take(): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const format = this.#read<{ format: number }>('format.json')?.format ?? FORMAT;
    if (!(format <= FORMAT)) {
      throw new StartFailure(
        EXIT.NEWER,
        `${this.folder} has format ${format}, this code knows up to ${FORMAT}: update fleetgraph`,
      );
    }
    const owner = this.#read<Running>('supervisor.json');
    if (owner && owner.pid !== process.pid && lives(owner)) {
      throw new StartFailure(
        EXIT.IN_USE,
        `${this.folder} is in use by process ${owner.pid}: stop it, or set FLEET_DATA to another folder`,
      );
    }
    this.#write('supervisor.json', { pid: process.pid, started: startedAt(process.pid) });
    this.#write('format.json', { format: FORMAT });
    this.isTaken = true;
    await this.#endOrphans();
  }

  /** Tells where the platform of this folder is reached, for those who find the folder taken. */
  announce(url: string): void {
    this.#write('supervisor.json', { pid: process.pid, started: startedAt(process.pid), url });
  }

  release(): void {
    for (const file of ['supervisor.json', 'children.json', 'demo.pid'])
      rmSync(path.join(this.folder, file), { force: true });
  }

  /** Remembers the children that run, so that a next start can end them should this process be killed. */
  remember(children: readonly { name: string; pid: number }[]): void {
    this.#write(
      'children.json',
      children.map(({ name, pid }) => ({ name, pid, started: startedAt(pid) })),
    );
  }

  /**
   * A secret of this folder, mode 0600, made when it is not there.
   * @returns the secret and whether it was made now
   */
  secret(file: string): { value: string; isNew: boolean } {
    const place = path.join(this.folder, file);
    if (existsSync(place)) {
      chmodSync(place, 0o600);
      return { value: readFileSync(place, 'utf8').trim(), isNew: false };
    }
    const value = randomBytes(32).toString('base64url');
    this.write(file, `${value}\n`);
    return { value, isNew: true };
  }

  /** Replaces a file as a whole: whoever reads it, or is killed in between, finds the old text or the new one. */
  write(file: string, text: string): void {
    const place = path.join(this.folder, file);
    writeFileSync(`${place}.new`, text, { mode: 0o600 });
    renameSync(`${place}.new`, place);
  }

  async #endOrphans(): Promise<void> {
    const orphans = (this.#read<Running[]>('children.json') ?? []).filter(lives).map(({ pid }) => pid);
    // They see that their supervisor is gone and end by themselves; those that hang are ended.
    if (await awaitGone(orphans, 3_000)) return;
    signalAll(orphans.filter(isAlive), 'SIGKILL');
    await awaitGone(orphans, 2_000);
  }

  #read<T>(file: string): T | undefined {
    const place = path.join(this.folder, file);
    return existsSync(place) ? (JSON.parse(readFileSync(place, 'utf8')) as T) : undefined;
  }

  #write(file: string, value: unknown): void {
    this.write(file, `${JSON.stringify(value)}\n`);
  }
}

function lives({ pid, started }: Running): boolean {
  return isAlive(pid) && startedAt(pid) === started;
}
