import { createHash } from 'node:crypto';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { type Clock, uuidV7 } from '../../lib/clock.ts';
import type { FileFlags } from '../../lib/flags/index.ts';
import { canonicalJson } from '../../lib/write/canonical.ts';
import { entryOf } from './entries.ts';
import type { AuditSpool } from './spool.ts';

/** All routers see an edit within a second: those that see it in the same stretch write the same entry, and the trail keeps one. */
const STRETCH_MS = 10_000;

/**
 * Writes a change of the flags’ file that was not asked of the graph into the audit trail: it is in effect already. What the graph
 * changes has a new version each time, and was audited before.
 */
export function auditFlagEdits(flags: FileFlags, spool: AuditSpool, clock: Clock): void {
  let known = flags.rules;
  flags.onChange((names) => {
    const before = known;
    known = flags.rules;
    for (const name of names) {
      const [was, is] = [before[name] ?? null, known[name] ?? null];
      if ((is?.version ?? 0) > (was?.version ?? 0)) continue;
      const stretchMs = Math.floor(clock.nowMs() / STRETCH_MS) * STRETCH_MS;
      const id = uuidV7(
        stretchMs,
        createHash('sha256')
          .update(canonicalJson([name, was, is]))
          .digest(),
      );
      const what = { outcome: 'SUCCEEDED', reason: 'the flags file was edited', before: was, after: is } as const;
      const target = { targetType: 'FeatureFlag', targetId: name };
      const call = { principal: systemPrincipal('router'), requestId: id };
      spool.add(entryOf(call, clock, { action: 'router.flag.edited', ...target, ...what }, id));
    }
  });
}
