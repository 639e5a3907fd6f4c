import type { Clock } from '../../../lib/clock.ts';
import { asFleetError, messageOf } from '../../../lib/errors.ts';
import type { Flags } from '../../../lib/flags/index.ts';
import type { Log } from '../../../lib/log.ts';
import type { Vault } from '../../../lib/vault.ts';
import { type PostOptions, postOnce, webhookHeaders } from '../../../lib/webhook/index.ts';
import { Worker } from '../../../lib/worker.ts';
import type { ContactPoint, Notification } from '../entity/contact.ts';
import { ContactPointKind, NotificationState } from '../entity/enums.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { NotificationStore } from '../store/notifications.ts';
import { backoffMs, MAX_ATTEMPTS, verdictOf } from './backoff.ts';
import { Lanes } from './lanes.ts';

const POLL_MS = 500;
const LANES = 20;
const TIMEOUT_MS = 10_000;
/** Longer than an attempt may take: whoever finds the lease ended knows that the process died. */
const LEASE_MS = 15_000;

/**
 * Sends the outbox. Each message has one id and one body for all its attempts, so that a target that knows ids hears each once,
 * also when a process died between sending and writing that it did.
 */
export class Delivery {
  readonly #worker: Worker;
  readonly #lanes = new Lanes(LANES);

  constructor(
    private readonly notifications: NotificationStore,
    private readonly contacts: ContactStore,
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly options: Omit<PostOptions, 'timeoutMs'>,
    private readonly flags: Flags,
  ) {
    this.#worker = new Worker(
      () => this.#claim(),
      POLL_MS,
      (error) => log.warn('notifications.wait', { error: messageOf(error) }),
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
    await this.#lanes.idle();
  }

  async #claim(): Promise<boolean> {
    const { free } = this.#lanes;
    if (free <= 0 || !this.flags.isOn('alerts.delivery')) return false;
    for (const notification of await this.notifications.claimDue(this.clock.nowMs(), LEASE_MS, free)) {
      this.#lanes.run(
        () => this.#attempt(notification),
        () => this.#worker.wake(),
      );
    }
    return false;
  }

  /** One attempt, and what follows from it. When that cannot be written the lease ends and the attempt is made again. */
  async #attempt(notification: Notification): Promise<void> {
    try {
      await this.#send(notification);
    } catch (error) {
      this.log.warn('notification.unwritten', { notification: notification.id, error: messageOf(error) });
    }
  }

  async #send(notification: Notification): Promise<void> {
    const contactPoint = await this.contacts.contactPoint(notification.contactPoint);
    if (!contactPoint)
      return await this.#end(notification, NotificationState.DROPPED, 'there is no such contact point');
    try {
      const status = await this.#post(notification, contactPoint);
      const verdict = verdictOf(status, notification.attempts);
      if (verdict === 'SENT') return await this.#sent(notification);
      if (verdict === 'FAILED') return await this.#end(notification, NotificationState.FAILED, `it answered ${status}`);
      return await this.#later(notification, `it answered ${status}`);
    } catch (error) {
      if (asFleetError(error)?.code === 'FORBIDDEN')
        return await this.#end(notification, NotificationState.DROPPED, messageOf(error));
      const reason = reasonOf(error);
      if (notification.attempts >= MAX_ATTEMPTS) return await this.#end(notification, NotificationState.FAILED, reason);
      return await this.#later(notification, reason);
    }
  }

  #post(notification: Notification, { name, kind, target, sealedSecret }: ContactPoint): Promise<number> {
    const secret = sealedSecret && this.vault.open(name, sealedSecret);
    const isPagerDuty = kind === ContactPointKind.PAGERDUTY;
    const body = isPagerDuty
      ? JSON.stringify({ routing_key: secret, ...JSON.parse(notification.body) })
      : notification.body;
    const headers =
      kind === ContactPointKind.WEBHOOK ? webhookHeaders(notification.id, secret, body, this.clock.nowMs()) : {};
    return postOnce(target, headers, body, { ...this.options, timeoutMs: TIMEOUT_MS });
  }

  #sent(notification: Notification): Promise<void> {
    return this.notifications.attempted(notification, NotificationState.SENT, { sentAtMs: this.clock.nowMs() });
  }

  #later(notification: Notification, error: string): Promise<void> {
    const nextAttemptAtMs = this.clock.nowMs() + backoffMs(notification.attempts, this.clock.random());
    return this.notifications.attempted(notification, NotificationState.QUEUED, { error, nextAttemptAtMs });
  }

  #end(notification: Notification, state: NotificationState, error: string): Promise<void> {
    return this.notifications.attempted(notification, state, { error });
  }
}

/** What went wrong on the way, without an address. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return 'it did not answer in 10 s';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? `it cannot be reached: ${code}` : 'it cannot be reached';
}
