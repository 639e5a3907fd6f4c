import { messageOf } from '../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { Credentials } from './credentials.ts';
import { MAIL_EVENT, type Mailbox } from './mailbox.ts';
import { FLUSH_MS, type Observer } from './observer.ts';
import type { Conductor } from './rollout/conductor.ts';
import type { Drift } from './rollout/drift.ts';
import type { Measuring } from './rollout/measuring.ts';
import type { Watch } from './watch.ts';

/** How far two looks at the leases are apart, milliseconds. */
const LOOK_MS = 200;
/** How far two looks for commands past their time are apart. */
const EXPIRE_MS = 2_000;
/** How far two steps of a rollout are apart. */
const ROLL_MS = 1_000;
/** How far two looks for agents that drift are apart. */
const DRIFT_MS = 2_000;
/** How far two sweeps of what rollouts were decided by are apart. */
const SWEEP_MS = 3_600_000;
/** How soon the stream of mail is opened again when it broke. */
const RESUME_MS = 1_000;

export interface RoundsParts {
  watch: Watch;
  observer: Observer;
  mailbox: Mailbox;
  credentials: Credentials;
  measuring: Measuring;
  conductor: Conductor;
  drift: Drift;
  events: EventStream;
  log: Log;
}

/** What the house does by itself, again and again. */
export class Rounds {
  readonly #workers: Worker[];
  #mail: ChangeSubscription | undefined;
  #stopped = false;

  constructor(private readonly parts: RoundsParts) {
    const { watch, observer, mailbox, credentials, measuring, conductor, drift, log } = parts;
    const round = (name: string, work: () => Promise<void>, everyMs: number) =>
      new Worker(
        () => work().then(() => false),
        everyMs,
        (error) => log.warn('agents.round.failed', { round: name, error: messageOf(error) }),
      );
    this.#workers = [
      round('look', () => watch.look(LOOK_MS), LOOK_MS),
      round('flush', () => observer.flush().then(() => credentials.flush()), FLUSH_MS),
      round('mail', () => this.#deliver(), RESUME_MS),
      round('rollouts', () => measuring.flush().then(() => conductor.round()), ROLL_MS),
      round('sweep', () => measuring.sweep(), SWEEP_MS),
      round('drift', () => drift.round(), DRIFT_MS),
      round('expire', () => mailbox.expire(), EXPIRE_MS),
    ];
  }

  async start(): Promise<void> {
    await this.parts.watch.begin();
    for (const worker of this.#workers) worker.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#mail?.return?.();
    for (const worker of this.#workers) await worker.stop();
    const { observer, credentials, log } = this.parts;
    // What was heard last is written down, so that the next start knows.
    await observer
      .flush()
      .then(() => credentials.flush())
      .catch((error: unknown) => log.warn('agents.flush.failed', { error: messageOf(error) }));
  }

  /** Mail that any process of this house wrote wakes the readers here; ends with the stream, and the next round begins anew. */
  async #deliver(): Promise<void> {
    const { events, mailbox } = this.parts;
    this.#mail = await events.subscribe({ type: MAIL_EVENT });
    if (this.#stopped) return;
    // What came while nobody listened.
    mailbox.wakeAll();
    for await (const { entityId } of this.#mail) mailbox.wake(entityId);
  }
}
