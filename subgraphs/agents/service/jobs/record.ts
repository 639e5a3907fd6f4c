import type { EventDraft } from '../../../../lib/write/rows.ts';
import { type Job, jobSnapshotOf } from '../../entity/job.ts';

/** The stream of jobs. */
export const JOB_STREAM = 'Job';

/** The event of a job that a transaction wrote. */
export function jobEvent(job: Job, previous: Record<string, unknown> | null): EventDraft {
  return {
    type: JOB_STREAM,
    entityId: job.uuid,
    kind: previous ? 'UPDATED' : 'CREATED',
    node: jobSnapshotOf(job),
    previous,
  };
}
