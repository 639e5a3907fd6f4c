import { createHash } from 'node:crypto';
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
const BATCH = 500;
const LONGEST_PAUSE_MS = 60_000;

export interface SinkRooms {
  leaves: LeafStore;
  progress: ProgressStore;
  log: MerkleLog;
  clock: Clock;
  notes: Log;
  metrics: { waiting: Gauge<'sink'>; sent: Counter<'sink'>; failed: Counter<'sink'> };
}

/**
 * Gives the trail to one target, in order and at least once: a batch is begun in the database before it goes out and ended there
 * after it was taken, so that whoever is killed in between sends the same batch under the same id again. Only what a checkpoint
 * signs is given out. A target that is away is asked again with growing pauses, for as long as it takes: nothing is left out.
 */
export class AuditSink {
  /** Its position's name: without what an address may hide. */
  readonly name: string;
  readonly #label: string;
  readonly #worker: Worker;
  readonly #pause: GrowingPause;

  constructor(
    target: URL,
    private readonly format: SinkFormat,
    private readonly send: Sender,
    private readonly rooms: SinkRooms,
  ) {
    this.name = `sink:${createHash('sha256').update(target.href).digest('hex').slice(0, 16)}`;
    this.#label = target.host;
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

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Sends one batch. @returns whether there was one */
  async step(): Promise<boolean> {
    const { progress, log, metrics } = this.rooms;
    if (this.#pause.lasts) return false;
    const given = await log.given();
    if (!given) return false;
    const stretch = await progress.begin(this.name, BATCH, given.size);
    const sink = this.#label;
    metrics.waiting.set({ sink }, stretch ? given.size - stretch.after : 0);
    if (!stretch) return false;
    const leaves = await this.#leavesOf(stretch);
    await this.send(batchOf(given.origin, stretch.after, leaves, this.format));
    await progress.end(this.name, stretch);
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
    metrics.failed.inc({ sink: this.#label });
    notes.warn('audit.sink.waits', { sink: this.#label, error: messageOf(error), failures });
  }
}
