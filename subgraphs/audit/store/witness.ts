import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';

/**
 * The last checkpoint of a log that was given out, kept outside of its database: one file for each log, so that a database
 * that was put back from a backup is found out.
 */
export class Witness {
  /** @param folder made at the first write, mode 0700 */
  constructor(private readonly folder: string) {}

  /** The signed note, or undefined when none was given out from this folder. */
  async read(origin: string): Promise<string | undefined> {
    try {
      return await readFile(this.#file(origin), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Durable, also over a power loss, when it resolves; there is the old one or the new one, never half of one. */
  async write(origin: string, signedNote: string): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = this.#file(origin);
    const fresh = `${file}.new`;
    const written = await open(fresh, 'w', 0o600);
    try {
      await written.writeFile(signedNote);
      await written.sync();
    } finally {
      await written.close();
    }
    await rename(fresh, file);
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** An origin has slashes: its hash names the file. */
  #file(origin: string): string {
    const name = createHash('sha256').update(origin).digest('hex').slice(0, 32);
    return path.join(this.folder, `${name}.checkpoint`);
  }
}
