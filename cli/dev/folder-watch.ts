import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Surroundings } from '../../sdk/index.ts';
import { dueMs, type Gathering, gather, isFileWatched, isFolderWatched } from './watched.ts';

export interface WatchOptions {
  folder: string;
  /** Globs of files that are left out too. */
  ignored: readonly RegExp[];
  surroundings: Surroundings;
  /** Told the files that changed, below the folder, once they have been quiet for a moment. */
  onChange: (files: readonly string[]) => void;
  /** What could not be watched: the limit of the system is reached. */
  onError: (error: Error) => void;
}

/**
 * Watches a folder and those in it, each by itself, so that what is left out costs nothing: a recursive `fs.watch` on Linux walks
 * `node_modules` before it tells anything.
 */
export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #closed = new AbortController();
  #gathered: Gathering | undefined;
  #isWaiting = false;

  constructor(private readonly options: WatchOptions) {
    this.#enter('');
  }

  close(): void {
    this.#closed.abort();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** Watches what is below; of a folder that came later, its files are changes themselves. */
  #enter(below: string, isNew = false): void {
    if (this.#watchers.has(below) || this.#closed.signal.aborted) return;
    const folder = path.join(this.options.folder, below);
    try {
      const watcher = watch(folder, (what, name) => this.#seen(below, name, what === 'rename'));
      // A folder that is taken away: its watcher has nothing more to tell.
      watcher.on('error', () => this.#leave(below));
      this.#watchers.set(below, watcher);
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const inside = path.posix.join(below, entry.name);
        if (entry.isDirectory() && isFolderWatched(entry.name)) this.#enter(inside, isNew);
        else if (isNew && entry.isFile()) this.#changed(inside);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.options.onError(error as Error);
    }
  }

  #leave(below: string): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folder !== below && !folder.startsWith(`${below}/`)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
  }

  #seen(below: string, name: string | null, isNew: boolean): void {
    if (name === null || this.#closed.signal.aborted) return;
    const inside = path.posix.join(below, name);
    const found = statSync(path.join(this.options.folder, inside), { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      // Perhaps another folder of the same name: a watcher of the one that is gone hears nothing.
      if (isNew) this.#leave(inside);
      if (isFolderWatched(name)) this.#enter(inside, true);
      return;
    }
    if (!found && this.#watchers.has(inside)) this.#leave(inside);
    this.#changed(inside);
  }

  #changed(file: string): void {
    if (!isFileWatched(file, this.options.ignored)) return;
    this.#gathered = gather(this.#gathered, file, this.options.surroundings.nowMs());
    if (!this.#isWaiting) void this.#tell();
  }

  async #tell(): Promise<void> {
    const { surroundings, onChange } = this.options;
    this.#isWaiting = true;
    for (let gathered = this.#gathered; gathered; gathered = this.#gathered) {
      const restMs = dueMs(gathered) - surroundings.nowMs();
      if (restMs > 0) await surroundings.sleep(restMs, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
      if (gathered !== this.#gathered && restMs > 0) continue;
      this.#gathered = undefined;
      onChange(gathered.files);
    }
    this.#isWaiting = false;
  }
}
