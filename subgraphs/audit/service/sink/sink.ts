import type { Counter, Gauge } from 'prom-client';
import type { Clock } from '../../../../lib/clock.ts';
import { assert, messageOf } from '../../../../lib/errors.ts';
import { GrowingPause } from '../../../../lib/growing-pause.ts';
import type { Log } from '../../../../lib/log.ts';
import { Worker } from '../../../../lib/worker.ts';
import type { LeafStore, ProgressStore, StoredLeaf, Stretch } from '../../store/index.ts';
import type { MerkleLog } from '../merkle-log.ts';
import { batchOf, type SinkFormat } from './batch.ts';
import type { Sender } from './senders.ts';

const POLL_MS = 1_000;
/** Longer than a sender takes at most. */
const LEASE_MS = 20_000;
const BATCH = 500;
const LONGEST_PAUSE_MS = 60_000;

/** What a sink is, beside how it is spoken to. */
export interface SinkFacts {
  /** Of its row in `progress`. */
  position: string;
  /** What metrics and notes call it. */
  label: string;
  /** Its address, as far as it may be told. */
  origin: string;
  format: SinkFormat;
  /** The applied sink it is, as long as it is so; absent of one that the settings name. */
  applied?: { name: string; version: number };
}

export interface SinkRooms {
  leaves: LeafStore;
  progress: ProgressStore;
  log: MerkleLog;
  clock: Clock;
  notes: Log;
  /** This process, among those that serve the same trail. */
  holder: string;
  metrics: { waiting: Gauge<'sink'>; sent: Counter<'sink'>; failed: Counter<'sink'> };
}

/**
 * Gives the trail to one target, in order and at least once: a batch is begun in the database before it goes out and ended there
 * after it was taken, so that whoever is killed in between sends the same batch under the same id again. Only what a checkpoint
 * signs is given out, and only by the process that holds the sink's lease. A target that is away is asked again with growing
 * pauses, for as long as it takes: nothing is left out.
 */
export class AuditSink {
  readonly #worker: Worker;
  readonly #pause: GrowingPause;

  constructor(
    readonly facts: SinkFacts,
    private readonly send: Sender,
    private readonly rooms: SinkRooms,
  ) {
    this.#pause = new GrowingPause(rooms.clock, LONGEST_PAUSE_MS);
    this.#worker = new Worker(
      () => this.step(),
      POLL_MS,
      (error) => this.#later(error),
    );
  }

  start(): void {
    this.#worker.start();
  }

  wake(): void {
    this.#worker.wake();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.rooms.progress.release(this.facts.position, this.rooms.holder);
  }

  /** Sends one batch. @returns whether there was one */
  async step(): Promise<boolean> {
    const { progress, log, metrics, holder } = this.rooms;
    const { position: name, label: sink, format, applied } = this.facts;
    if (this.#pause.lasts) return false;
    const given = await log.given();
    if (!given) return false;
    const stretch = await progress.begin({ name, holder, leaseMs: LEASE_MS, limit: BATCH, size: given.size, applied });
    // Where another process is at it, its progress says how far it is.
    metrics.waiting.set({ sink }, given.size - (stretch?.after ?? (await progress.position(name))));
    if (!stretch) return false;
    const leaves = await this.#leavesOf(stretch);
    await this.send(batchOf(given.origin, stretch.after, leaves, format));
    await progress.end(name, stretch);
    metrics.sent.inc({ sink }, leaves.length);
    const failures = this.#pause.passed();
    if (failures) this.rooms.notes.info('audit.sink.again', { sink, failures });
    return true;
  }

  async #leavesOf({ after, upTo }: Stretch): Promise<StoredLeaf[]> {
    const found: StoredLeaf[] = [];
    while (after + found.length < upTo) {
      const page = await this.rooms.leaves.page(after + found.length, upTo);
      assert(page.length, 'there is an entry at every place below the size');
      found.push(...page);
    }
    return found;
  }

  #later(error: unknown): void {
    const { notes, metrics } = this.rooms;
    this.#pause.failed();
    const { failures } = this.#pause;
    metrics.failed.inc({ sink: this.facts.label });
    notes.warn('audit.sink.waits', { sink: this.facts.label, error: messageOf(error), failures });
  }
}
