import type { DataSource } from 'typeorm';
import type { HouseClient } from '../call/house-client.ts';
import { systemPrincipal } from '../call/principal.ts';
import type { Clock } from '../clock.ts';
import { FleetError, messageOf } from '../errors.ts';
import type { Notifications } from '../events/notifications.ts';
import type { Log } from '../log.ts';
import { Worker } from '../worker.ts';
import { UNDELIVERED } from './rows.ts';

const BATCH = 200;
/** Below what a house takes in one body, so that no entry can hold up those behind it. */
const BATCH_BYTES = 8_000_000;
const POLL_MS = 1_000;
/** A batch costs some ten times what one more entry in it does. */
const REST_MS = 20;
export const ENTRIES_ROUTE = 'POST /internal/entries';

/** Delivers the outbox to the audit house, in order, until it says that they are durable. Twice is harmless: entries have ids. */
export class AuditRelay {
  readonly #worker: Worker;

  constructor(
    private readonly house: string,
    private readonly database: DataSource,
    private readonly audit: HouseClient,
    private readonly notifications: Notifications,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.#worker = new Worker(
      () => this.deliver(),
      POLL_MS,
      (error) => log.warn('audit.relay.waits', { error: messageOf(error) }),
      REST_MS,
    );
  }

  start(): void {
    this.notifications.on(UNDELIVERED, () => this.#worker.wake());
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Delivers one batch. @returns whether more may wait */
  deliver(): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      // As text, which goes out as it is.
      const rows: { seq: string; text: string }[] = await tx.query(
        `select seq, entry::text as text from audit_outbox order by seq limit ${BATCH} for update skip locked`,
      );
      if (!rows.length) return false;
      const batch = withinBytes(rows);
      const answer = await this.audit.send(ENTRIES_ROUTE, {
        call: { principal: systemPrincipal(this.house), requestId: this.clock.uuid() },
        body: `{"entries":[${batch.map(({ text }) => text).join(',')}]}`,
        timeoutMs: 5_000,
      });
      if (answer.status !== 200) throw new FleetError('AUDIT_UNAVAILABLE', `the audit house answered ${answer.status}`);
      await tx.query('delete from audit_outbox where seq = any($1::bigint[])', [batch.map(({ seq }) => seq)]);
      return rows.length === BATCH || batch.length < rows.length;
    });
  }
}

/** The first of the rows that fit into one body; one at least. */
function withinBytes<T extends { text: string }>(rows: readonly T[]): T[] {
  let bytes = 0;
  return rows.filter(({ text }, i) => {
    bytes += Buffer.byteLength(text);
    return i === 0 || bytes <= BATCH_BYTES;
  });
}
