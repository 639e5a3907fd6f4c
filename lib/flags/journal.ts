import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { FlagRules } from './file.ts';

/** A change that was begun so long ago was left behind, whoever began it, milliseconds. */
const ABANDONED_MS = 60_000;

interface Owner {
  host: string;
  pid: number;
  /** Tells this process from an earlier one of the same number. */
  start: string;
}

/** A change of the flags file that is under way. */
export interface Journal {
  by: Owner;
  /** What the file is to say. */
  flags?: FlagRules;
  /** What tells of it. */
  entry?: unknown;
}

/** Of a change that its process goes on without. */
export const LEFT = 'left';

/** This process. */
export const OWNER: Owner = { host: hostname(), pid: process.pid, start: randomUUID() };

/** Undefined when there is none, or it is not whole. */
export function journalOf(next: string): Journal | undefined {
  try {
    return JSON.parse(readFileSync(next, 'utf8')) as Journal;
  } catch {
    return undefined;
  }
}

/** Whether the process that made it is known to have ended, or has had more than enough time. */
export function isLeftBehind(next: string, nowMs: number): boolean {
  const begun = statSync(next, { throwIfNoEntry: false });
  if (!begun) return false;
  const by = journalOf(next)?.by;
  return nowMs - begun.mtimeMs > ABANDONED_MS || (by !== undefined && hasEnded(by));
}

function hasEnded({ host, pid, start }: Owner): boolean {
  if (start === LEFT) return true;
  if (host !== OWNER.host) return false;
  if (pid === OWNER.pid) return start !== OWNER.start;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
