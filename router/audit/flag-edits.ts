import { createHash } from 'node:crypto';
import { systemPrincipal } from '../../lib/call/principal.ts';
import { type Clock, uuidV7 } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { type FileFlags, leftBehind } from '../../lib/flags/index.ts';
import type { Log } from '../../lib/log.ts';
import { Worker } from '../../lib/worker.ts';
import { canonicalJson } from '../../lib/write/canonical.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { entryOf } from './entries.ts';
import type { AuditSpool } from './spool.ts';
import type { AuditTrail } from './trail.ts';

/** All routers see an edit within a second: those that see it in the same stretch write the same entry, and the trail keeps one. */
const STRETCH_MS = 10_000;

const LOOK_MS = 1_000;

/**
 * Finishes the change of a router that was killed in the midst of it: what tells of it is written once more, which the trail takes
 * once, and then it takes effect. So the trail and the file agree, wherever it was cut off.
 */
export function flagEditFinisher(flags: FileFlags, trail: AuditTrail, clock: Clock, log: Log): Worker {
  return new Worker(
    async () => {
      const change = leftBehind(flags.file, clock.nowMs());
      if (!change) return false;
      await trail.write([change.entry as EntryDraft]);
      change.finish();
      flags.reload();
      log.info('flags.change.finished', { entry: (change.entry as EntryDraft).id });
      return false;
    },
    LOOK_MS,
    (error) => log.debug('flags.change.waits', { error: messageOf(error) }),
  );
}

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
