import { readdirSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';

/** A file that a rotation left beside the one that is written to. */
export interface Rotated {
  path: string;
  inode: number;
  /** When it was last written to, or copied. */
  atMs: number;
  /** Whether its name says that it is of the same log: a number or a time behind the name. */
  isNumbered: boolean;
}

/** What rotations left of a file, oldest first: `app.log.2`, `app.log.1`, `app.log-20260131`, … */
export function rotatedOf(file: string): Rotated[] {
  const [folder, name] = [path.dirname(file), path.basename(file)];
  const found = readdirSync(folder).flatMap((each): Rotated[] => {
    const suffix = each.startsWith(name) ? each.slice(name.length) : '';
    if (!/^[.-]/.test(suffix)) return [];
    const at = path.join(folder, each);
    const stats: Stats | undefined = statSync(at, { throwIfNoEntry: false });
    if (!stats?.isFile()) return [];
    return [{ path: at, inode: stats.ino, atMs: stats.mtimeMs, isNumbered: /^[.-]\d[\dT:._-]*$/.test(suffix) }];
  });
  // Two of one moment: the higher number is the older one.
  return found.sort((a, b) => a.atMs - b.atMs || b.path.localeCompare(a.path, 'en', { numeric: true }));
}
