import type { Clock } from '../../lib/clock.ts';
import type { Guard } from '../guard/guard.ts';
import { moveEntry } from './entries.ts';
import type { AuditSpool } from './spool.ts';

/** Writes every move that a breaker made by itself into the audit trail; a forced one was written before it was made. */
export function auditMoves(guard: Guard, spool: AuditSpool, clock: Clock): void {
  guard.onMove((move) => {
    const entry = move.forced ? undefined : moveEntry(move, clock);
    if (entry) spool.add(entry);
  });
}
