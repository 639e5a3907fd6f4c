import type { Clock } from '../../lib/clock.ts';
import { FileFlags, type Flags } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import type { Worker } from '../../lib/worker.ts';
import type { Guard } from '../guard/guard.ts';
import { moveEntry } from './entries.ts';
import { auditFlagEdits, flagEditFinisher } from './flag-edits.ts';
import type { AuditSpool } from './spool.ts';
import type { AuditTrail } from './trail.ts';

/**
 * Writes what nobody asked the graph for into the audit trail: every move that a breaker made by itself (a forced one was written
 * before it was made), and edits of the flags’ file.
 * @returns what finishes changes of flags that a killed router had begun
 */
export function auditUnasked(
  guard: Guard,
  flags: Flags,
  { spool, trail, clock, log }: { spool: AuditSpool; trail: AuditTrail; clock: Clock; log: Log },
): Worker | undefined {
  guard.onMove((move) => {
    const entry = move.forced ? undefined : moveEntry(move, clock);
    if (entry) spool.add(entry);
  });
  if (!(flags instanceof FileFlags)) return undefined;
  auditFlagEdits(flags, spool, clock);
  return flagEditFinisher(flags, trail, clock, log);
}
