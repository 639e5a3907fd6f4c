import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The package's root: where package.json, schema/ and node_modules/ are, from source and from dist/ alike. */
export function packageRoot(): string {
  const here = path.resolve(__dirname, '..');
  return path.basename(here) === 'dist' ? path.dirname(here) : here;
}

/** The version in package.json. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
