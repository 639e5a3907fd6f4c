import type { DataSource } from 'typeorm';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { Worker } from '../worker.ts';
import { KEY_LIFE } from './rows.ts';

const BATCH = 5_000;
const POLL_MS = 60_000;

/** Forgets idempotency keys whose outcome nobody is promised any more: each mutation leaves one. */
export class KeySweep {
  readonly #worker: Worker;

  constructor(
    private readonly database: DataSource,
    log: Log,
  ) {
    this.#worker = new Worker(
      async () => (await this.sweep()) === BATCH,
      POLL_MS,
      (error) => log.warn('idempotency.sweep.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Forgets one batch. @returns how many */
  async sweep(): Promise<number> {
    const [, count]: [unknown[], number] = await this.database.query(
      `delete from idempotency where ctid = any(array(
         select ctid from idempotency where created_at < now() - interval '${KEY_LIFE}' limit ${BATCH} for update skip locked))`,
    );
    return count;
  }
}
