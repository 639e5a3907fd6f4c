import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apiPages } from './api/index.ts';
import { commandPages } from './commands.ts';
import { errorPages } from './errors.ts';
import { kindPages } from './kinds.ts';
import { brokenLinks } from './links.ts';
import { pythonPages } from './python/index.ts';
import { sdkPages } from './sdk/index.ts';
import { settingPages } from './settings.ts';

/** Where nothing stands but what is made. */
const MADE = 'docs/reference';

export interface Documents {
  /** Path from the root → text. */
  pages: Record<string, string>;
  /** What is public and says nothing of itself, one line each. */
  silent: string[];
  /** What could not be made here, and why. */
  leftOut: string[];
}

/** Everything that is made from code. */
export async function documents(root: string): Promise<Documents> {
  const python = pythonPages(root);
  const told = [apiPages(root), await sdkPages(root), commandPages(), kindPages(), ...(python ? [python] : [])];
  return {
    pages: Object.assign({}, settingPages(), errorPages(), ...told.map(({ pages }) => pages)) as Record<string, string>,
    silent: told.flatMap(({ silent }) => silent),
    leftOut: python ? [] : ['docs/reference/python.md: there is no python3 here to read docstrings with'],
  };
}

/** Files of the folder of made pages, from the root. */
function madeFiles(root: string, folder = MADE): string[] {
  const place = path.join(root, folder);
  if (!existsSync(place)) return [];
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file.split(path.sep).join('/')}`);
}

/** Made pages that nothing makes any longer. */
export function orphans(root: string, { pages, leftOut }: Documents): string[] {
  return madeFiles(root).filter((file) => !(file in pages) && !leftOut.some((line) => line.startsWith(file)));
}

/** Every page that is written by hand, from the root. */
function handWritten(root: string): Record<string, string> {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root })
    .toString()
    .split('\n')
    .filter((file) => file && !file.startsWith(MADE) && existsSync(path.join(root, file)));
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

/** What is wrong with the documents of a tree, one line each with what mends it; none when all is as the code makes it. */
export function faultsOf(root: string, made: Documents): string[] {
  const stale = Object.entries(made.pages).flatMap(([file, text]) => {
    const place = path.join(root, file);
    if (!existsSync(place)) return [`${file} is missing: npm run docs`];
    return readFileSync(place, 'utf8') === text ? [] : [`${file} is not what the code makes: npm run docs`];
  });
  return [
    ...made.silent,
    ...stale,
    ...orphans(root, made).map((file) => `${file} is made by nothing any longer: npm run docs`),
    ...brokenLinks(root, { ...handWritten(root), ...made.pages }),
  ];
}
