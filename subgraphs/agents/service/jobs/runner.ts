import type { Clock } from '../../../../lib/clock.ts';
import { messageOf } from '../../../../lib/errors.ts';
import type { Log } from '../../../../lib/log.ts';
import { Worker } from '../../../../lib/worker.ts';
import type { SystemEntry, Writes } from '../../../../lib/write/writes.ts';
import type { Agent } from '../../entity/agent.ts';
import { type Job, JobTargetState, jobSnapshotOf } from '../../entity/job.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { JobStore } from '../../store/jobs.ts';
import type { MailStore } from '../../store/mail.ts';
import type { StoryStore } from '../../store/story.ts';
import { LIFE_COMMANDS } from '../lifecycle.ts';
import type { LiveFleet } from '../live.ts';
import { type Mailbox, mailEvent } from '../mailbox.ts';
import { type Batch, batchOf } from './batch.ts';
import { isOpen, progressOf } from './progress.ts';
import { jobEvent } from './record.ts';

/** Agents asked in one transaction. */
const BATCH = 200;
/** How far two looks for jobs are apart that another process made, or left. */
const POLL_MS = 1_000;
/** How long a job that has ended is kept, milliseconds. */
const KEPT_MS = 30 * 86_400_000;
const FORGOTTEN = 100;

/**
 * Carries out jobs, each a batch at a time in turn with the others. A batch is one transaction: after a crash it was carried
 * out as a whole or not at all, so that each agent is asked once.
 */
export class JobRunner {
  readonly #worker: Worker;

  constructor(
    private readonly jobs: JobStore,
    private readonly agents: AgentStore,
    private readonly mail: MailStore,
    private readonly story: StoryStore,
    private readonly mailbox: Mailbox,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.#worker = new Worker(
      () => this.step(),
      POLL_MS,
      (error) => log.warn('agents.job.waits', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  wake(): void {
    this.#worker.wake();
  }

  /** Carries out one batch. @returns whether there was one */
  async step(): Promise<boolean> {
    const asked = await this.writes.transaction(async (tx) => {
      const job = await this.jobs.lockNext(tx);
      if (!job) return undefined;
      const targets = await this.jobs.waiting(tx, job, BATCH);
      const locked = await this.agents.lockMany(
        tx,
        targets.map(({ agentUuid }) => agentUuid),
      );
      const batch = batchOf(job, targets, new Map(locked.map((agent) => [agent.uuid, agent])), this.clock);
      const now = new Date(this.clock.nowMs());
      const agents = batch.asked.map(({ agent }) => agent);
      // What was asked before is overtaken, as by a mutation of one.
      await this.mail.voidAll(tx, agents, now, LIFE_COMMANDS);
      const commands = await this.mail.issueAll(tx, batch.asked);
      await this.agents.saveAsked(tx, agents);
      await this.story.add(tx, batch.stories);
      await this.jobs.settle(tx, job, batch.settled, now);
      const { events, entries } = await this.#advance(tx, job, batch, now);
      await this.writes.system(
        tx,
        'agents',
        [...batch.entries, ...entries],
        [...batch.events, ...commands.map(mailEvent), ...events],
      );
      return agents;
    });
    if (!asked) {
      await this.jobs.forget(new Date(this.clock.nowMs() - KEPT_MS), FORGOTTEN);
      return false;
    }
    this.#tell(asked);
    return true;
  }

  /** Counts the batch, and says so when it was the last. */
  async #advance(tx: Parameters<JobStore['save']>[0], job: Job, batch: Batch, now: Date) {
    const previous = jobSnapshotOf(job);
    const done = batch.settled.filter(({ state }) => state === JobTargetState.DONE).length;
    Object.assign(job, progressOf(job, { step: 'batch', done, refused: batch.settled.length - done }, now));
    await this.jobs.save(tx, job);
    const after = jobSnapshotOf(job);
    const entries: SystemEntry[] = isOpen(job)
      ? []
      : [
          {
            action: 'agent.job.finished',
            target: { type: 'Job', id: job.id },
            before: { state: previous['state'] },
            after: { state: job.state, total: job.total, done: job.done, refused: job.refused },
            causedBy: job.entryId,
          },
        ];
    return { events: [jobEvent(job, previous)], entries, after };
  }

  #tell(agents: readonly Agent[]): void {
    for (const agent of agents) {
      this.fleet.adopt(agent);
      this.mailbox.wake(agent.uuid);
    }
  }
}
