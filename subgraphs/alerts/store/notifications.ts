import { type DataSource, In } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import { Notification } from '../entity/contact.ts';
import type { NotificationState } from '../entity/enums.ts';

/** A message to be queued. */
export type NotificationDraft = Pick<
  Notification,
  'id' | 'alertUuid' | 'contactPoint' | 'kind' | 'round' | 'step' | 'body'
>;

/** SQL of the notification outbox. */
export class NotificationStore {
  constructor(private readonly database: DataSource) {}

  /** In the order they were queued. */
  ofAlerts(alertUuids: readonly string[]): Promise<Notification[]> {
    return this.database
      .getRepository(Notification)
      .find({ where: { alertUuid: In([...alertUuids]) }, order: { seq: 'ASC' } });
  }

  /** Queues a message; the same alert, contact point, kind and step is queued once. */
  async queue(tx: Transaction, draft: NotificationDraft, nowMs: number): Promise<void> {
    const { id, alertUuid, contactPoint, kind, round, step, body } = draft;
    await tx.query(
      `insert into notification (id, alert_id, contact_point, kind, round, step, state, attempts, next_attempt_at, body)
       values ($1, $2, $3, $4, $5, $6, 'QUEUED', 0, $7, $8)
       on conflict (alert_id, contact_point, kind, round, step) do nothing`,
      [id, alertUuid, contactPoint, kind, round, step, new Date(nowMs), body],
    );
  }

  /** Contact points that were told of this alert. */
  async toldOf(tx: Transaction, alertUuid: string): Promise<string[]> {
    const rows: { contact_point: string }[] = await tx.query(
      `select contact_point from notification where alert_id = $1 and kind = 'alert.fired' group by contact_point order by min(seq)`,
      [alertUuid],
    );
    return rows.map((row) => row.contact_point);
  }

  /**
   * Takes messages that are due for one attempt. Until the lease ends nobody else takes them; if this process dies they are
   * due again then. A message waits for the ones before it of the same alert and contact point.
   */
  async claimDue(nowMs: number, leaseMs: number, limit: number): Promise<Notification[]> {
    const [rows]: [{ id: string }[], number] = await this.database.query(
      `update notification set attempts = attempts + 1, next_attempt_at = $2
        where id in (
          select due.id from notification due
           where due.state = 'QUEUED' and due.next_attempt_at <= $1 and not exists (
             select from notification earlier
              where earlier.alert_id = due.alert_id and earlier.contact_point = due.contact_point
                and earlier.state = 'QUEUED' and earlier.seq < due.seq)
           order by due.next_attempt_at limit $3 for update skip locked
        ) returning id`,
      [new Date(nowMs), new Date(nowMs + leaseMs), limit],
    );
    const ids = rows.map(({ id }) => id);
    return ids.length ? this.database.getRepository(Notification).findBy({ id: In(ids) }) : [];
  }

  /** Writes how attempt `attempts` went, unless another process has begun a later one. */
  async attempted(
    { id, attempts }: Notification,
    state: NotificationState,
    outcome: { sentAtMs?: number; error?: string; nextAttemptAtMs?: number },
  ): Promise<void> {
    await this.database.query(
      `update notification set state = $3, sent_at = $4, error = $5, next_attempt_at = coalesce($6, next_attempt_at)
        where id = $1 and attempts = $2 and state = 'QUEUED'`,
      [
        id,
        attempts,
        state,
        outcome.sentAtMs === undefined ? null : new Date(outcome.sentAtMs),
        outcome.error ?? null,
        outcome.nextAttemptAtMs === undefined ? null : new Date(outcome.nextAttemptAtMs),
      ],
    );
  }
}
