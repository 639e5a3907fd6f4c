import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of package.json: what is not compiled lies under it, whether this runs from source or from dist/. */
export function packageRoot(from: string = __dirname): string {
  if (existsSync(path.join(from, 'package.json'))) return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error('there is no package.json above this file');
  return packageRoot(parent);
}
