import { messageOf } from '../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { Credentials } from './credentials.ts';
import { MAIL_EVENT, type Mailbox } from './mailbox.ts';
import type { Observer } from './observer.ts';
import type { Watch } from './watch.ts';

/** How far two looks at the leases are apart, milliseconds. */
const LOOK_MS = 200;
/** How far two writes of mere beats are apart. */
const FLUSH_MS = 1_000;
const EXPIRE_MS = 5_000;

export interface RoundsParts {
  watch: Watch;
  observer: Observer;
  mailbox: Mailbox;
  credentials: Credentials;
  events: EventStream;
  log: Log;
}

/** What the house does by itself, again and again. */
export class Rounds {
  readonly #workers: Worker[];
  #mail: ChangeSubscription | undefined;

  constructor(private readonly parts: RoundsParts) {
    const { watch, observer, mailbox, credentials, log } = parts;
    const round = (name: string, work: () => Promise<void>, everyMs: number) =>
      new Worker(
        () => work().then(() => false),
        everyMs,
        (error) => log.warn('agents.round.failed', { round: name, error: messageOf(error) }),
      );
    this.#workers = [
      round('look', () => watch.look(LOOK_MS), LOOK_MS),
      round('flush', () => observer.flush().then(() => credentials.flush()), FLUSH_MS),
      round('expire', () => mailbox.expire(), EXPIRE_MS),
    ];
  }

  async start(): Promise<void> {
    await this.parts.watch.begin();
    this.#mail = await this.parts.events.subscribe({ type: MAIL_EVENT });
    void this.#deliver(this.#mail);
    for (const worker of this.#workers) worker.start();
  }

  async stop(): Promise<void> {
    await this.#mail?.return?.();
    for (const worker of this.#workers) await worker.stop();
    const { observer, credentials, log } = this.parts;
    // What was heard last is written down, so that the next start knows.
    await observer
      .flush()
      .then(() => credentials.flush())
      .catch((error: unknown) => log.warn('agents.flush.failed', { error: messageOf(error) }));
  }

  /** Mail that any process of this house wrote wakes the readers here. */
  async #deliver(mail: ChangeSubscription): Promise<void> {
    try {
      for await (const { entityId } of mail) this.parts.mailbox.wake(entityId);
    } catch (error) {
      this.parts.log.warn('agents.mail.stream.failed', { error: messageOf(error) });
    }
  }
}
