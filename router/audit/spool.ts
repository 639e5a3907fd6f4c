import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { Worker } from '../../lib/worker.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import type { AuditTrail } from './trail.ts';

const CAPACITY = 1_000;
const BATCH = 200;
const POLL_MS = 1_000;

/** Entries about what has already happened, kept while the audit house is away: bounded, and what did not fit is counted. */
export class AuditSpool {
  #waiting: EntryDraft[] = [];
  #dropped = 0;
  readonly #worker: Worker;

  constructor(
    private readonly trail: AuditTrail,
    log: Log,
    private readonly capacity = CAPACITY,
  ) {
    this.#worker = new Worker(
      () => this.#deliver(),
      POLL_MS,
      (error) => log.debug('audit.spool.waits', { error: messageOf(error), waiting: this.#waiting.length }),
    );
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  start(): void {
    this.#worker.start();
  }

  /** Ends it after one last try. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#deliver().catch(() => false);
  }

  add(entry: EntryDraft): void {
    if (this.#waiting.length >= this.capacity) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(entry);
    this.#worker.wake();
  }

  async #deliver(): Promise<boolean> {
    const batch = this.#waiting.slice(0, BATCH);
    if (batch.length === 0) return false;
    await this.trail.write(batch);
    this.#waiting.splice(0, batch.length);
    return this.#waiting.length > 0;
  }
}
