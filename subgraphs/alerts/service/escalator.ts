import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Flags } from '../../../lib/flags/index.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { SystemEntry, Writes } from '../../../lib/write/writes.ts';
import type { Alert } from '../entity/alert.ts';
import type { AlertStore } from '../store/alerts.ts';
import { advanceCourse, type Course } from './escalation.ts';
import type { Recorder } from './recorder.ts';

const POLL_MS = 500;
const BATCH = 50;

/** Takes due escalation steps. A step, its notifications and its audit entry are one transaction: after a crash all or none. */
export class Escalator {
  readonly #worker: Worker;

  constructor(
    private readonly alerts: AlertStore,
    private readonly recorder: Recorder,
    private readonly writes: Writes,
    private readonly clock: Clock,
    log: Log,
    /** Wakes delivery after a commit. */
    private readonly queued: () => void,
    private readonly flags: Flags,
  ) {
    this.#worker = new Worker(
      async () => (await this.step()) === BATCH,
      POLL_MS,
      (error) => log.warn('escalation.waits', { error: messageOf(error) }),
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

  /** Takes what is due of at most fifty alerts. @returns of how many */
  async step(): Promise<number> {
    if (!this.flags.isOn('alerts.escalation')) return 0;
    const count = await this.writes.transaction(async (tx) => {
      const nowMs = this.clock.nowMs();
      const due = await this.alerts.lockEscalating(tx, nowMs, BATCH);
      const entries: SystemEntry[] = [];
      for (const alert of due) {
        const policy = alert.escalationPolicy ?? '';
        const [course, steps] = advanceCourse(await this.recorder.planOf(tx, policy), courseOf(alert), false, nowMs);
        for (const step of steps) {
          const told = await this.recorder.tell(tx, alert, 'alert.fired', step);
          const after = { policy, step: step.step + 1, round: step.round + 1, contactPoints: told };
          const target = { type: 'Alert', id: alert.id };
          entries.push({ action: 'alert.escalated', target, after, causedBy: alert.firedEntry ?? undefined });
        }
        alert.escalationStep = course.step;
        alert.escalationRound = course.round;
        alert.escalationNextAt = course.nextAtMs === null ? null : new Date(course.nextAtMs);
        await this.alerts.save(tx, alert);
      }
      await this.writes.system(tx, 'alerts', entries);
      return due.length;
    });
    // Also when nothing was due: a resolution may have queued something.
    this.queued();
    return count;
  }
}

function courseOf({ escalationStep, escalationRound, escalationNextAt }: Alert): Course {
  return { step: escalationStep, round: escalationRound, nextAtMs: escalationNextAt?.getTime() ?? null };
}
