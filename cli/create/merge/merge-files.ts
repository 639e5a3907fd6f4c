import { createHash } from 'node:crypto';
import { mergeText } from './merge-text.ts';

/** Files by their path in the project, with `/`. */
export type Files = ReadonlyMap<string, Buffer>;

/** What a file was when it was written: text whole, bytes by their digest. */
export interface Recorded {
  sha256: string;
  text?: string;
}

/**
 * added, updated, removed: as the template has it now. merged: both changed it. conflict: both changed the same lines.
 * kept: the project's own. deleted: it was deleted there, and stays so.
 */
export type Outcome = 'added' | 'updated' | 'merged' | 'conflict' | 'kept' | 'deleted' | 'removed';

/** What becomes of one file; without `write` nothing does. */
export interface Step {
  path: string;
  outcome: Outcome;
  /** Written at `path`, or beside it; null takes it away. */
  write?: { path: string; bytes: Buffer | null };
}

export const recorded = (bytes: Buffer): Recorded => {
  const text = textOf(bytes);
  return { sha256: digest(bytes), ...(text !== undefined && { text }) };
};

/**
 * What regeneration does to each file that it would change or that was changed; files that are as they were are not told of.
 * @param base what was written last
 * @param ours what the project has of it now
 * @param theirs what would be written today
 */
export function mergeFiles(base: ReadonlyMap<string, Recorded>, ours: Files, theirs: Files): Step[] {
  const paths = [...new Set([...base.keys(), ...theirs.keys()])].sort();
  return paths.flatMap((path) => mergeFile(path, base.get(path), ours.get(path), theirs.get(path)) ?? []);
}

function mergeFile(path: string, base?: Recorded, ours?: Buffer, theirs?: Buffer): Step | undefined {
  const step = (outcome: Outcome, bytes?: Buffer | null, at = path): Step => ({
    path,
    outcome,
    ...(bytes !== undefined && { write: { path: at, bytes } }),
  });
  if (!theirs) {
    if (!ours) return undefined;
    return base?.sha256 === digest(ours) ? step('removed', null) : step('kept');
  }
  if (!ours) return base ? step('deleted') : step('added', theirs);
  if (ours.equals(theirs)) return undefined;
  if (base?.sha256 === digest(ours)) return step('updated', theirs);
  if (base?.sha256 === digest(theirs)) return step('kept');
  const [own, fresh] = [textOf(ours), textOf(theirs)];
  if (own === undefined || fresh === undefined) return step('conflict', theirs, `${path}.new`);
  const { text, conflicts } = mergeText(base?.text ?? '', own, fresh);
  return step(conflicts ? 'conflict' : 'merged', Buffer.from(text));
}

/** The text that these bytes are; undefined when they are none. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
