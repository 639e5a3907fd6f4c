import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { globOf, isFolderWatched } from './watched.ts';

/** An agent's program: what is run, and where. */
export interface AgentProgram {
  /** What it is called on the screen. */
  name: string;
  words: readonly string[];
  folder: string;
}

interface Manifest {
  name?: string;
  main?: string;
  scripts?: Record<string, string>;
}

/** What a folder's agent is run as: its script `agent`, its `main`, or a Python package with a `__main__.py`; undefined where there is none. */
export function programOf(folder: string): AgentProgram | undefined {
  const name = path.basename(folder);
  const manifest = readManifest(folder);
  const script = manifest?.scripts?.['agent'];
  // As npm runs a script, but for npm: it would take half a second of each reload.
  if (script) return { name: manifest?.name ?? name, words: ['/bin/sh', '-c', script], folder };
  if (manifest?.main && existsSync(path.join(folder, manifest.main)))
    return { name: manifest.name ?? name, words: wordsOf(manifest.main), folder };
  const module = pythonModule(folder);
  return module === undefined ? undefined : { name: module, words: ['python3', '-m', module], folder };
}

/** A program for each file below the folder that the glob matches. */
export function programsBy(glob: string, folder: string): AgentProgram[] {
  const pattern = globOf(glob.replace(/^\.\//, ''));
  return filesBelow(folder, '')
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => ({ name: file, words: wordsOf(file), folder }));
}

/** `PATH` with the commands that a folder's packages bring, as npm sets it for scripts. */
export function pathFor(folder: string, given: string | undefined): string {
  const folders: string[] = [];
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    folders.push(path.join(at, 'node_modules', '.bin'));
    if (at === path.dirname(at)) break;
  }
  return [...folders, ...(given ? [given] : [])].join(path.delimiter);
}

/** Node runs TypeScript by leaving the types out. */
function wordsOf(file: string): string[] {
  return [file.endsWith('.py') ? 'python3' : process.execPath, file];
}

function readManifest(folder: string): Manifest | undefined {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined;
}

/** The package that `python3 -m` runs: the one folder beside pyproject.toml with a `__main__.py`, the project's namesake first. */
function pythonModule(folder: string): string | undefined {
  const project = path.join(folder, 'pyproject.toml');
  if (!existsSync(project)) return undefined;
  const named = /^name\s*=\s*["']([^"']+)["']/m.exec(readFileSync(project, 'utf8'))?.[1]?.replaceAll(/[-.]/g, '_');
  const runnable = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(folder, entry.name, '__main__.py')))
    .map((entry) => entry.name)
    .sort();
  return runnable.find((name) => name === named) ?? runnable[0];
}

function filesBelow(folder: string, below: string): string[] {
  return readdirSync(path.join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const inside = path.posix.join(below, entry.name);
    if (entry.isDirectory()) return isFolderWatched(entry.name) ? filesBelow(folder, inside) : [];
    return entry.isFile() ? [inside] : [];
  });
}
