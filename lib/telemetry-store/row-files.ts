import { mkdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Files that the embedded engine reads its inserts from: it takes binary rows no other way. They live as long as their
 * insert; what a killed process left is removed at start.
 */
export class RowFiles {
  #count = 0;

  constructor(private readonly folder: string) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Lets `use` read the blocks from a file, which is gone afterwards. */
  async withFile<T>(blocks: readonly Uint8Array[], use: (file: string) => Promise<T>): Promise<T> {
    this.#count += 1;
    const file = path.join(this.folder, `${this.#count}.bin`);
    try {
      const handle = await open(file, 'wx', 0o600);
      try {
        for (const block of blocks) await handle.writeFile(block);
      } finally {
        await handle.close();
      }
      return await use(file);
    } finally {
      await rm(file, { force: true });
    }
  }
}
