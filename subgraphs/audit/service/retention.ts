import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import { isoDuration } from '../../../lib/graphql/scalars.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { EntryStore, LeafStore, ProgressStore, StoredRetention } from '../store/index.ts';
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
  /** Rows of `progress` of those that must have taken an entry before its bytes go. */
  sinks: () => Promise<string[]>;
  redactionKey: Buffer;
  /** How long bytes are kept, as it is in force. */
  inForce: () => Promise<StoredRetention>;
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
    this.#worker.start();
  }

  /** The retention was changed. */
  wake(): void {
    this.#worker.wake();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Takes away one batch. @returns how many entries were gone through */
  async sweep(): Promise<number> {
    const { leaves, progress, clock, sinks, inForce } = this.rooms;
    const retention = await inForce();
    if (retention.keepForMs === null) return 0;
    const taken = await Promise.all((await sinks()).map((position) => progress.position(position)));
    const before = new Date(clock.nowMs() - retention.keepForMs);
    return await progress.advance(NAME, async (tx, after) => {
      const upTo = Math.min(after + BATCH, ...taken);
      if (upTo <= after) return after;
      const { position, removed } = await leaves.removeBytes(tx, { after, upTo }, before);
      if (removed) await this.rooms.entries.insertIn(tx, [this.#entryOf(removed, position, before, retention)]);
      return position;
    });
  }

  #entryOf(removed: number, position: number, before: Date, { version, keepForMs }: StoredRetention) {
    const { clock, redactionKey } = this.rooms;
    const kept = keepForMs as number;
    const id = clock.uuid();
    const draft = {
      id,
      occurredAtMs: clock.nowMs(),
      actor: { id: 'system:audit', kind: 'SYSTEM' as const, name: 'audit' },
      action: 'audit.retention.swept',
      outcome: 'SUCCEEDED' as const,
      isDryRun: false,
      reason: version
        ? `bytes are kept for ${isoDuration(kept)} (version ${version})`
        : `FLEET_AUDIT_RETENTION_DAYS is ${kept / DAY_MS}`,
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
