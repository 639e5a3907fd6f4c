import { messageOf } from '../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { Causes } from './causes.ts';
import { CLOSING_MS } from './connections.ts';
import type { Credentials } from './credentials.ts';
import type { HealthHistory } from './health-history.ts';
import type { HealthModels } from './health-models.ts';
import type { JobRunner } from './jobs/runner.ts';
import { MAIL_EVENT, type Mailbox } from './mailbox.ts';
import { FLUSH_MS, type Observer } from './observer.ts';
import type { Pager } from './pager.ts';
import type { Past } from './past.ts';
import type { Peers } from './peers.ts';
import type { RecoveryPolicies } from './policies.ts';
import type { Profiles } from './profiles.ts';
import type { Proofs } from './proofs.ts';
import type { Conductor } from './rollout/conductor.ts';
import type { Drift } from './rollout/drift.ts';
import type { Measuring } from './rollout/measuring.ts';
import type { Stories } from './stories.ts';
import type { Watch } from './watch.ts';

/** How far two looks at the leases are apart, milliseconds. */
const LOOK_MS = 200;
/** How far two looks for commands past their time are apart. */
const EXPIRE_MS = 2_000;
/** How far two steps of a rollout are apart. */
const ROLL_MS = 1_000;
/** How far two looks for agents that drift are apart. */
const DRIFT_MS = 2_000;
/** How far two sweeps of the past are apart. */
const FORGET_MS = 60_000;
/** How soon a policy that another process of this house changed is heeded. */
const POLICIES_MS = 1_000;
/** How far two looks for root causes are apart. */
const CAUSES_MS = 1_000;
/** How far two looks for a minute that ended are apart. */
const HISTORY_MS = 5_000;
/** How far two notes of configurations that proved well are apart. */
const PROVE_MS = 2_000;
/** How far two looks for pages that wait are apart. */
const PAGE_MS = 1_000;
/** How far two sweeps of what rollouts were decided by, and of profiles, are apart. */
const SWEEP_MS = 3_600_000;
/** How soon the stream of mail is opened again when it broke. */
const RESUME_MS = 1_000;

export interface RoundsParts {
  watch: Watch;
  observer: Observer;
  mailbox: Mailbox;
  peers: Peers;
  credentials: Credentials;
  measuring: Measuring;
  conductor: Conductor;
  drift: Drift;
  runner: JobRunner;
  past: Past;
  policies: RecoveryPolicies;
  healthModels: HealthModels;
  history: HealthHistory;
  causes: Causes;
  profiles: Profiles;
  proofs: Proofs;
  pager: Pager;
  stories: Stories;
  events: EventStream;
  log: Log;
}

/** What the house does by itself, again and again. */
export class Rounds {
  readonly #workers: Worker[];
  #mail: ChangeSubscription | undefined;
  #stopped = false;

  constructor(private readonly parts: RoundsParts) {
    const { watch, observer, mailbox, peers, credentials, measuring, conductor, drift, past, log } = parts;
    const { policies, healthModels, history, causes, proofs, pager, profiles, stories } = parts;
    const round = (name: string, work: () => Promise<void>, everyMs: number) =>
      new Worker(
        () => work().then(() => false),
        everyMs,
        (error) => log.warn('agents.round.failed', { round: name, error: messageOf(error) }),
      );
    this.#workers = [
      round('look', () => watch.look(LOOK_MS), LOOK_MS),
      round('closings', () => watch.closings(), CLOSING_MS),
      round('peers', () => peers.look(), FLUSH_MS),
      // What another process must know of our beats is written each time: it may take for silent whom only we hear.
      round('flush', () => observer.flush(peers.any).then(() => credentials.flush()), FLUSH_MS),
      round('mail', () => this.#deliver(), RESUME_MS),
      round('rollouts', () => measuring.flush().then(() => conductor.round()), ROLL_MS),
      round('sweep', () => measuring.sweep().then(() => profiles.forget()), SWEEP_MS),
      round('drift', () => drift.round(), DRIFT_MS),
      round('expire', () => mailbox.expire(), EXPIRE_MS),
      round('past', () => past.forget(), FORGET_MS),
      round('stories', () => stories.forget(), FORGET_MS),
      round('policies', () => policies.refresh().then(() => healthModels.refresh()), POLICIES_MS),
      round('causes', () => Promise.resolve(causes.find()), CAUSES_MS),
      round('history', () => history.write(), HISTORY_MS),
      round('prove', () => proofs.write(), PROVE_MS),
      round('page', () => pager.deliver(), PAGE_MS),
    ];
  }

  async start(): Promise<void> {
    await this.parts.peers.look();
    await this.parts.policies.refresh();
    await this.parts.healthModels.refresh();
    await this.parts.watch.begin();
    for (const worker of this.#workers) worker.start();
    this.parts.runner.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.parts.runner.stop();
    await this.#mail?.return?.();
    for (const worker of this.#workers) await worker.stop();
    const { observer, peers, credentials, log } = this.parts;
    // What was heard last is written down, so that the next start knows.
    await observer
      .flush(true)
      .then(() => credentials.flush())
      .then(() => peers.leave())
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
