import type { Clock } from '../../lib/clock.ts';
import { FileFlags, type Flags } from '../../lib/flags/index.ts';
import type { Guard } from '../guard/guard.ts';
import { moveEntry } from './entries.ts';
import { auditFlagEdits } from './flag-edits.ts';
import type { AuditSpool } from './spool.ts';

/**
 * Writes what nobody asked the graph for into the audit trail: every move that a breaker made by itself (a forced one was written
 * before it was made), and edits of the flags’ file.
 */
export function auditUnasked(guard: Guard, flags: Flags, spool: AuditSpool, clock: Clock): void {
  guard.onMove((move) => {
    const entry = move.forced ? undefined : moveEntry(move, clock);
    if (entry) spool.add(entry);
  });
  if (flags instanceof FileFlags) auditFlagEdits(flags, spool, clock);
}
