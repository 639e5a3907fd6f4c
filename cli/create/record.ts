import { readFileSync } from 'node:fs';
import path from 'node:path';
import { FleetFailure } from '../../sdk/index.ts';
import { packageVersion } from '../package-root.ts';
import type { Recorded } from './merge/merge-files.ts';

/** Where a project keeps what was written into it. */
export const RECORD = '.fleet/generated.json';
const FORMAT = 1;

/** What was written at once: an agent, a kind, a migration, a rule; with what was answered. */
export interface WrittenPiece {
  answers: Record<string, string>;
  files: Record<string, Recorded>;
}

export type ProjectRecord = Record<string, WrittenPiece>;

/** What was written into a folder; undefined when nothing was. @throws CONFLICT when the record is damaged */
export function readRecord(folder: string): ProjectRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(folder, RECORD), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR')
      return undefined;
    throw error;
  }
  const pieces = parsed(text);
  if (!pieces)
    throw new FleetFailure('CONFLICT', `${RECORD} is damaged or of a newer fleet: take it from your history`);
  return pieces;
}

export function recordText(pieces: ProjectRecord): Buffer {
  return Buffer.from(`${JSON.stringify({ format: FORMAT, by: `fleetgraph ${packageVersion()}`, pieces }, null, 2)}\n`);
}

function parsed(text: string): ProjectRecord | undefined {
  try {
    const { format, pieces } = JSON.parse(text) as { format: number; pieces: ProjectRecord };
    const isWhole = Object.values(pieces).every(
      ({ answers, files }) =>
        Object.values(answers).every((answer) => typeof answer === 'string') &&
        Object.entries(files).every(([file, { sha256, text }]) => isInside(file) && isRecorded(sha256, text)),
    );
    return format === FORMAT && isWhole ? pieces : undefined;
  } catch {
    return undefined;
  }
}

const isRecorded = (sha256: unknown, text: unknown) =>
  typeof sha256 === 'string' && (text === undefined || typeof text === 'string');

/** A project may come from anybody: what its record names must lie in it. */
function isInside(file: string): boolean {
  return (
    !file.includes('\\') && !path.isAbsolute(file) && path.posix.normalize(file) === file && !file.startsWith('..')
  );
}
