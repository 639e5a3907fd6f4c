import { diffIndices } from 'node-diff3';
import { linesOf, marked } from './merge-text.ts';

const AROUND = 3;

interface Change {
  before: [from: number, to: number];
  after: [from: number, to: number];
}

/** The difference of two texts as `diff -u` writes it, with three lines around; empty when there is none. */
export function unified(path: string, before: string | undefined, after: string | undefined): string {
  const [old, fresh] = [linesOf(before ?? ''), linesOf(after ?? '')];
  const changes = diffIndices(marked(before ?? ''), marked(after ?? '')).map(
    ({ buffer1: [at, length], buffer2: [to, size] }): Change => ({ before: [at, at + length], after: [to, to + size] }),
  );
  if (!changes.length) return '';
  const names = [before === undefined ? '/dev/null' : `a/${path}`, after === undefined ? '/dev/null' : `b/${path}`];
  return `--- ${names[0]}\n+++ ${names[1]}\n${together(changes)
    .map((hunk) => hunkOf(hunk, old, fresh))
    .join('')}`;
}

/** Changes whose surroundings touch are one hunk. */
function together(changes: Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last && change.before[0] - last.before[1] <= 2 * AROUND) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function hunkOf(changes: Change[], old: string[], fresh: string[]): string {
  const [first, last] = [changes[0] as Change, changes.at(-1) as Change];
  const lead = Math.min(AROUND, first.before[0]);
  const trail = Math.min(AROUND, old.length - last.before[1]);
  const head = range(first.before[0] - lead, last.before[1] + trail);
  const rows: string[] = [];
  let at = first.before[0] - lead;
  for (const { before, after } of changes) {
    rows.push(...signed(' ', old.slice(at, before[0])), ...signed('-', old.slice(...before)));
    rows.push(...signed('+', fresh.slice(...after)));
    at = before[1];
  }
  rows.push(...signed(' ', old.slice(at, at + trail)));
  return `@@ -${head} +${range(first.after[0] - lead, last.after[1] + trail)} @@\n${rows.join('')}`;
}

/** `start,length`, counted from 1; of nothing the line before it. */
const range = (from: number, to: number) => `${to === from ? from : from + 1},${to - from}`;

function signed(sign: string, lines: string[]): string[] {
  return lines.map((line) =>
    line.endsWith('\n') ? `${sign}${line}` : `${sign}${line}\n\\ No newline at end of file\n`,
  );
}
