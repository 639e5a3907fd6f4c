import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { FleetFailure } from '../../sdk/index.ts';
import type { Files, Step } from './merge/merge-files.ts';

/** Whether nothing is there, or an empty folder. */
export function isFree(folder: string): boolean {
  return !existsSync(folder) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0);
}

/** Those of the files that are there. */
export function readFiles(folder: string, paths: Iterable<string>): Files {
  const files = new Map<string, Buffer>();
  for (const file of paths) {
    const place = path.join(folder, file);
    if (statSync(place, { throwIfNoEntry: false })?.isFile()) files.set(file, readFileSync(place));
  }
  return files;
}

/** Writes a folder that is not there, or is empty: beside its place first, so that nobody finds half of it. */
export function writeFolder(folder: string, files: Files): void {
  const parent = path.dirname(folder);
  mkdirSync(parent, { recursive: true });
  const draft = mkdtempSync(path.join(parent, `.${path.basename(folder)}-`));
  try {
    chmodSync(draft, 0o777 & ~process.umask());
    for (const [file, bytes] of files) {
      mkdirSync(path.dirname(path.join(draft, file)), { recursive: true });
      writeFileSync(path.join(draft, file), bytes);
    }
    if (existsSync(folder)) moveInto(folder, draft);
    else renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** An empty folder may be where somebody’s shell stands: it stays, and what is new moves in. */
function moveInto(folder: string, draft: string): void {
  for (const entry of readdirSync(draft)) renameSync(path.join(draft, entry), path.join(folder, entry));
}

/** Does the steps, each file whole or not at all. @throws CONFLICT for a place outside of the folder */
export function applySteps(folder: string, steps: readonly Step[]): void {
  for (const { write } of steps) {
    if (!write) continue;
    if (write.bytes) replaceFile(folder, write.path, write.bytes);
    else removeFile(folder, write.path);
  }
}

/** Writes one file of a project, in place of the one that is there. */
export function replaceFile(folder: string, file: string, bytes: Buffer, mode?: number): void {
  const place = path.join(folder, file);
  mkdirSync(path.dirname(place), { recursive: true });
  assertInside(folder, file);
  const before = statSync(place, { throwIfNoEntry: false });
  const draft = `${place}.fleet-draft`;
  writeFileSync(draft, bytes, { mode: mode ?? before?.mode ?? 0o666 });
  renameSync(draft, place);
}

function removeFile(folder: string, file: string): void {
  assertInside(folder, file);
  rmSync(path.join(folder, file));
  for (let above = path.dirname(file); above !== '.'; above = path.dirname(above)) {
    if (readdirSync(path.join(folder, above)).length) return;
    rmdirSync(path.join(folder, above));
  }
}

/** A link in the project may lead out of it. */
function assertInside(folder: string, file: string): void {
  const [root, place] = [realpathSync(folder), realpathSync(path.dirname(path.join(folder, file)))];
  if (place !== root && !place.startsWith(root + path.sep))
    throw new FleetFailure('CONFLICT', `${file} lies outside of ${folder}: a link leads there`);
}
