import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { apiNames, apiPages } from './api/index.ts';
import { commandPages } from './commands.ts';
import { errorPages, untoldCodes } from './errors.ts';
import { kindPages } from './kinds.ts';
import { brokenLinks } from './links.ts';
import { type Known, unknownNames } from './names.ts';
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

const TEMPLATES = 'cli/create/templates/';

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

/** Files of the tree that are neither ignored nor gone, path from the root → text. */
function textsOf(root: string, ...patterns: string[]): Record<string, string> {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: root,
  })
    .toString()
    .split('\n')
    // Templates speak of projects that are not here.
    .filter((file) => file && !file.startsWith(TEMPLATES) && existsSync(path.join(root, file)));
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

/** Every page that is written by hand, from the root. */
function handWritten(root: string): Record<string, string> {
  return Object.fromEntries(Object.entries(textsOf(root, '*.md')).filter(([file]) => !file.startsWith(MADE)));
}

/** What the tree has of what its documents name. */
function knownIn(root: string, sources: Readonly<Record<string, string>>): Known {
  const words = new Set(Object.values(sources).flatMap((text) => text.match(/\w+/g) ?? []));
  const { scripts = {} } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts?: object };
  return {
    isThere: (place) => existsSync(path.join(root, place)),
    scripts: new Set(Object.keys(scripts)),
    api: apiNames(root),
    isInSources: (word) => words.has(word),
  };
}

/** They tell of what was there at their time. */
const HISTORY = /^(CHANGELOG\.md|docs\/decisions\/)/;

/** What is wrong with the documents of a tree, one line each with what mends it; none when all is as the code makes it. */
export function faultsOf(root: string, made: Documents): string[] {
  const byHand = handWritten(root);
  const sources = textsOf(root, '*.ts', '*.py', '*.yml', ':!test');
  const stale = Object.entries(made.pages).flatMap(([file, text]) => {
    const place = path.join(root, file);
    if (!existsSync(place)) return [`${file} is missing: npm run docs`];
    return readFileSync(place, 'utf8') === text ? [] : [`${file} is not what the code makes: npm run docs`];
  });
  return [
    ...made.silent,
    ...untoldCodes(sources),
    ...stale,
    ...orphans(root, made).map((file) => `${file} is made by nothing any longer: npm run docs`),
    ...brokenLinks(root, { ...byHand, ...made.pages }),
    ...unknownNames(
      Object.fromEntries(Object.entries(byHand).filter(([file]) => !HISTORY.test(file))),
      knownIn(root, sources),
    ),
  ];
}
