import { diff3Merge } from 'node-diff3';

export interface Merged {
  text: string;
  conflicts: number;
}

const OURS = '<<<<<<< yours';
const BETWEEN = '=======';
const THEIRS = '>>>>>>> template';

/**
 * Merges what both sides made of a text, line by line; where both changed the same lines, both are there between git's marks.
 * The algorithm is that of “A Formal Investigation of Diff3” (2007).
 */
export function mergeText(base: string, ours: string, theirs: string): Merged {
  // A checkout may have given every line another end: that is no edit.
  if (isAllCrlf(ours)) return asCrlf(mergeLines(base, ours.replaceAll('\r\n', '\n'), theirs));
  return mergeLines(base, ours, theirs);
}

function mergeLines(base: string, ours: string, theirs: string): Merged {
  let conflicts = 0;
  const parts = diff3Merge(marked(ours), marked(base), marked(theirs), { excludeFalseConflicts: true });
  const lines = parts.flatMap(({ ok, conflict }) => {
    if (ok) return bare(ok);
    if (!conflict) return [];
    conflicts++;
    return [`${OURS}\n`, ...ended(bare(conflict.a)), `${BETWEEN}\n`, ...ended(bare(conflict.b)), `${THEIRS}\n`];
  });
  return { text: lines.join(''), conflicts };
}

/** Whether marks of a merge stand in it still. */
export function hasMarks(text: string): boolean {
  const lines = text.split(/\r?\n/);
  return lines.includes(OURS) && lines.includes(THEIRS);
}

/** Lines with their ends; a last one without an end is a line too. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** The library keeps lines as names of an object: one such as `constructor` must be none of the object's own. */
export const marked = (text: string): string[] => linesOf(text).map((line) => `>${line}`);
const bare = (lines: string[]) => lines.map((line) => line.slice(1));

function ended(lines: string[]): string[] {
  return lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`));
}

function isAllCrlf(text: string): boolean {
  return text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
}

function asCrlf({ text, conflicts }: Merged): Merged {
  return { text: text.replaceAll('\n', '\r\n'), conflicts };
}
