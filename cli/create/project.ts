import path from 'node:path';
import { FleetFailure } from '../../sdk/index.ts';
import { applySteps, isFree, readFiles, replaceFile, writeFolder } from './folder.ts';
import { type Files, mergeFiles, type Recorded, recorded, type Step, textOf } from './merge/merge-files.ts';
import { hasMarks } from './merge/merge-text.ts';
import { unified } from './merge/unified.ts';
import { filesOf, idOf, type Piece, pieceOf } from './pieces.ts';
import { type ProjectRecord, RECORD, readRecord, recordText, type WrittenPiece } from './record.ts';

/** What writing would do, or did. */
export interface Plan {
  folder: string;
  /** Nothing of ours is there yet. */
  isNew: boolean;
  steps: Step[];
  /** Files in which both sides changed the same. */
  conflicts: string[];
  /** The change of each text, as `diff -u` writes it. */
  diff(): string;
  /** Does it. */
  write(): void;
}

/**
 * Plans to write pieces into a project: what is there of an earlier time is merged.
 * @throws CONFLICT for a folder that holds what we did not write, or marks of a merge
 */
export function planPieces(folder: string, pieces: readonly Piece[]): Plan {
  const record = readRecord(folder);
  const isNew = !record;
  if (isNew && pieces.some(({ what }) => what === 'agent') && !isFree(folder))
    throw new FleetFailure('CONFLICT', `${folder} is not empty, and was not made by fleet create`);
  const after: ProjectRecord = { ...record };
  const steps: Step[] = [];
  const [ours, theirs] = [new Map<string, Buffer>(), new Map<string, Buffer>()];
  for (const piece of pieces) {
    const id = idOf(piece);
    const [fresh, written] = [filesOf(piece), record?.[id]];
    const own = readFiles(folder, [...Object.keys(written?.files ?? {}), ...fresh.keys()]);
    if (written) assertMerged(own);
    else assertOurs(own, fresh);
    steps.push(...mergeFiles(new Map(Object.entries(written?.files ?? {})), own, fresh));
    for (const [file, bytes] of own) ours.set(file, bytes);
    for (const [file, bytes] of fresh) theirs.set(file, bytes);
    after[id] = { answers: piece.answers, files: recordedAll(fresh) };
  }
  return {
    folder,
    isNew,
    steps,
    conflicts: steps.filter(({ outcome }) => outcome === 'conflict').map(({ path: file }) => file),
    diff: () => steps.map((step) => diffOf(step, ours)).join(''),
    write: () => {
      if (isNew && isFree(folder)) return writeFolder(folder, new Map([...theirs, [RECORD, recordText(after)]]));
      applySteps(folder, steps);
      // Last: killed before, the same is done again.
      if (!isSame(record, after)) replaceFile(folder, RECORD, recordText(after));
    },
  };
}

/** Plans to write all again that was ever written into a project. @throws NOT_FOUND where nothing was */
export function planUpdate(folder: string): Plan {
  const record = readRecord(folder);
  if (!record)
    throw new FleetFailure('NOT_FOUND', `nothing in ${folder} was made by fleet create: it has no ${RECORD}`);
  return planPieces(
    folder,
    Object.entries(record).map(([id, { answers }]) => pieceOf(id, answers)),
  );
}

/** What was answered when a piece of a project was made; undefined where it has none. */
export function answersOf(folder: string, id: string): Record<string, string> | undefined {
  return readRecord(folder)?.[id]?.answers;
}

/** The same of the project’s agent. */
export const agentOf = (folder: string) => answersOf(folder, 'agent');

const isSame = (one: ProjectRecord | undefined, other: ProjectRecord): boolean =>
  one !== undefined && JSON.stringify(one) === JSON.stringify(other);

function recordedAll(files: Files): WrittenPiece['files'] {
  return Object.fromEntries([...files].map(([file, bytes]): [string, Recorded] => [file, recorded(bytes)]));
}

/** Marks within marks could not be told apart. */
function assertMerged(files: Files): void {
  const open = [...files].filter(([, bytes]) => hasMarks(textOf(bytes) ?? '')).map(([file]) => file);
  if (open.length)
    throw new FleetFailure('CONFLICT', `marks of a merge stand in ${open.join(', ')}: settle them first`);
}

/** What is written for the first time takes nobody’s place. */
function assertOurs(own: Files, fresh: Files): void {
  const taken = [...own].filter(([file, bytes]) => !fresh.get(file)?.equals(bytes)).map(([file]) => file);
  if (taken.length)
    throw new FleetFailure('CONFLICT', `${taken.join(', ')} is there already, and was not made by this`);
}

function diffOf({ path: file, write }: Step, ours: Files): string {
  if (!write) return '';
  const [before, after] = [ours.get(write.path), write.bytes];
  const [old, fresh] = [before && textOf(before), after ? textOf(after) : undefined];
  const isBinary = (before && old === undefined) || (after && fresh === undefined);
  if (isBinary) return `Binary files a/${file} and b/${path.posix.normalize(write.path)} differ\n`;
  return unified(write.path, old, fresh);
}
