import { FleetError } from '../../../../lib/errors.ts';
import { type Job, JobState } from '../../entity/job.ts';

/** What happens to a job. */
export type JobStep = { step: 'batch'; done: number; refused: number } | { step: 'cancel' };

type Progress = Pick<Job, 'state' | 'total' | 'done' | 'refused' | 'startedAt' | 'finishedAt' | 'steppedAt'>;

/** Whether some of its agents may still be asked. */
export const isOpen = ({ state }: Pick<Job, 'state'>): boolean =>
  state === JobState.QUEUED || state === JobState.RUNNING;

/**
 * A job after a step: FINISHED once the turn of each of its agents has come, CANCELLED before that if somebody said so.
 * @throws CONFLICT for a step of a job that has ended
 */
export function progressOf(job: Progress, step: JobStep, now: Date): Progress {
  if (!isOpen(job)) throw new FleetError('CONFLICT', `this job has ended already: it is ${job.state}`);
  const { total, startedAt } = job;
  if (step.step === 'cancel') {
    const { done, refused, steppedAt } = job;
    return { total, done, refused, startedAt, steppedAt, state: JobState.CANCELLED, finishedAt: now };
  }
  const done = job.done + step.done;
  const refused = job.refused + step.refused;
  const isOver = done + refused === total;
  return {
    total,
    done,
    refused,
    startedAt: startedAt ?? now,
    steppedAt: now,
    state: isOver ? JobState.FINISHED : JobState.RUNNING,
    finishedAt: isOver ? now : null,
  };
}
