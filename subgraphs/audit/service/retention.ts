import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { EntryStore, LeafStore, ProgressStore } from '../store/index.ts';
import { entryOfDraft } from './leaf.ts';

const POLL_MS = 600_000;
const DAY_MS = 86_400_000;
const BATCH = 1_000;
const NAME = 'retention';

export interface RetentionRooms {
  entries: EntryStore;
  leaves: LeafStore;
  progress: ProgressStore;
  clock: Clock;
  notes: Log;
  /** Those that must have taken an entry before its bytes go. */
  sinks: readonly { name: string }[];
  redactionKey: Buffer;
  /** Days that bytes are kept; 0: for good. */
  days: number;
}

/**
 * Takes away the bytes of old entries, oldest first, never their hashes: the tree, its proofs and its checkpoints stay as they are.
 * What goes, and an entry that says so, are one transaction. Nothing goes that a sink has not taken yet.
 */
export class BodyRetention {
  readonly #worker: Worker;

  constructor(private readonly rooms: RetentionRooms) {
    this.#worker = new Worker(
      async () => (await this.sweep()) === BATCH,
      POLL_MS,
      (error) => rooms.notes.warn('audit.retention.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    if (this.rooms.days > 0) this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Takes away one batch. @returns how many entries were gone through */
  async sweep(): Promise<number> {
    const { leaves, progress, clock, sinks, days } = this.rooms;
    const taken = await Promise.all(sinks.map(({ name }) => progress.position(name)));
    const before = new Date(clock.nowMs() - days * DAY_MS);
    return await progress.advance(NAME, async (tx, after) => {
      const upTo = Math.min(after + BATCH, ...taken);
      if (upTo <= after) return after;
      const { position, removed } = await leaves.removeBytes(tx, { after, upTo }, before);
      if (removed) await this.rooms.entries.insertIn(tx, [this.#entryOf(removed, position, before)]);
      return position;
    });
  }

  #entryOf(removed: number, position: number, before: Date) {
    const { clock, days, redactionKey } = this.rooms;
    const id = clock.uuid();
    const draft = {
      id,
      occurredAtMs: clock.nowMs(),
      actor: { id: 'system:audit', kind: 'SYSTEM' as const, name: 'audit' },
      action: 'audit.retention.swept',
      outcome: 'SUCCEEDED' as const,
      isDryRun: false,
      reason: `FLEET_AUDIT_RETENTION_DAYS is ${days}`,
      targetType: 'AuditLog',
      targetId: '',
      before: null,
      after: { removed, upToIndex: position - 1, olderThan: before.toISOString() },
      requestId: id,
      traceId: null,
      clientIp: null,
      causedBy: null,
    };
    return entryOfDraft(draft, redactionKey);
  }
}
