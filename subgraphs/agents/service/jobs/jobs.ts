import type { Call } from '../../../../lib/call/signing.ts';
import type { Clock } from '../../../../lib/clock.ts';
import type { CursorSealer } from '../../../../lib/cursor.ts';
import type { Transaction } from '../../../../lib/database.ts';
import { FleetError } from '../../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../../lib/events/stream.ts';
import { uuidOf } from '../../../../lib/node-id.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../../lib/page.ts';
import type { WriteOutcome, Writes, Written } from '../../../../lib/write/writes.ts';
import {
  type AgentAction,
  Job,
  JobState,
  type JobTarget,
  type JobTargetState,
  jobSnapshotOf,
} from '../../entity/job.ts';
import type { JobStore } from '../../store/jobs.ts';
import type { AgentList } from '../../store/list.ts';
import { type AgentFilterArgs, criteriaOf } from '../filter.ts';
import { actorOf } from '../record.ts';
import { type Forecast, forecastOf } from './forecast.ts';
import { progressOf } from './progress.ts';
import { JOB_STREAM, jobEvent } from './record.ts';

export interface BulkInput {
  action: AgentAction;
  filter: AgentFilterArgs;
  maxAffected: number;
  reason?: string | null | undefined;
  dryRun?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface JobActionInput {
  id: string;
  reason?: string | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface JobResult {
  job: string;
  affected: number;
  /** What a dry run foresees. */
  forecast?: Forecast;
}

/** Agents of one job at most. */
const MAX_AFFECTED = 100_000;

/** What is asked of many agents at once: jobs are made, read, watched and cancelled here, and carried out by the runner. */
export class Jobs {
  constructor(
    private readonly jobs: JobStore,
    private readonly list: AgentList,
    private readonly writes: Writes,
    private readonly cursors: CursorSealer,
    private readonly events: EventStream,
    private readonly clock: Clock,
    private readonly made: () => void,
  ) {}

  /**
   * Makes a job of an action and of the agents that a filter names now. With `dryRun` it tells what would come of it.
   * CONFLICT with the number when there are more than `maxAffected`.
   */
  async act(call: Call, input: BulkInput): Promise<WriteOutcome<JobResult>> {
    const outcome = await this.writes.run<JobResult>({
      call,
      action: 'actOnAgents',
      args: input as never,
      target: { type: 'Job', id: '' },
      run: (tx, entryId) => this.#make(tx, call, input, entryId),
    });
    if (outcome.result && !input.dryRun) this.made();
    return outcome;
  }

  async #make(tx: Transaction, call: Call, input: BulkInput, entryId: string): Promise<Written<JobResult>> {
    const { maxAffected, action, filter } = input;
    if (maxAffected < 1 || maxAffected > MAX_AFFECTED) {
      throw new FleetError('BAD_INPUT', `maxAffected is 1 to ${MAX_AFFECTED}`, { field: ['maxAffected'] });
    }
    const criteria = criteriaOf(filter);
    const job = Object.assign(new Job(), {
      uuid: this.clock.uuid(),
      action,
      filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value != null)),
      reason: input.reason ?? null,
      state: JobState.QUEUED,
      ...{ total: 0, done: 0, refused: 0 },
      createdAt: new Date(this.clock.nowMs()),
      createdBy: actorOf(call.principal),
      ...{ startedAt: null, finishedAt: null, steppedAt: null },
      entryId,
    });
    // One more than allowed shows that there are too many; how many is counted only then.
    job.total = await this.jobs.create(tx, job, criteria, maxAffected + 1);
    if (job.total > maxAffected) {
      const count = await this.list.count(criteria);
      throw new FleetError(
        'CONFLICT',
        `this is about ${count} agents, more than maxAffected ${maxAffected}: narrow the filter, or allow as many`,
        { field: ['maxAffected'], affected: count },
      );
    }
    const forecast = input.dryRun ? forecastOf(await this.list.named(tx, criteria, maxAffected), job) : undefined;
    return {
      result: { job: job.uuid, affected: job.total, ...(forecast ? { forecast } : {}) },
      target: { type: 'Job', id: job.id },
      after: jobSnapshotOf(job),
      events: [jobEvent(job, null)],
    };
  }

  /** Ends a job before all its agents were asked; those who were stay so. CONFLICT when it has ended. */
  cancel(call: Call, input: JobActionInput): Promise<WriteOutcome<JobResult>> {
    return this.writes.run<JobResult>({
      call,
      action: 'cancelJob',
      args: input,
      target: { type: 'Job', id: input.id },
      run: async (tx) => {
        const job = await this.jobs.lock(tx, uuidOf('Job', input.id));
        if (!job) throw new FleetError('NOT_FOUND', 'there is no such job', { field: ['id'] });
        const before = jobSnapshotOf(job);
        const now = new Date(this.clock.nowMs());
        Object.assign(job, progressOf(job, { step: 'cancel' }, now));
        await this.jobs.skip(tx, job, now);
        await this.jobs.save(tx, job);
        return {
          result: { job: job.uuid, affected: job.total },
          before,
          after: jobSnapshotOf(job),
          events: [jobEvent(job, before)],
        };
      },
    });
  }

  async find(uuid: string): Promise<Job | null> {
    const [job] = await this.jobs.findMany([uuid]);
    return job ?? null;
  }

  /** A page of jobs, newest first. */
  async page(args: PageArgs, states: readonly JobState[]): Promise<Page<Job>> {
    const request = readPage(args, this.cursors, 'jobs');
    const rows = await this.jobs.page(request, states);
    return pageOf(rows, request, this.cursors, 'jobs', ({ createdAt, uuid }) => [createdAt.getTime(), uuid]);
  }

  /** A page of a job's agents, in the order of their turns. */
  async targets(job: Job, args: PageArgs, states: readonly JobTargetState[]): Promise<Page<JobTarget>> {
    const name = `job-targets:${job.uuid}`;
    const request = readPage(args, this.cursors, name);
    const rows = await this.jobs.targets(job, request, states);
    return pageOf(rows, request, this.cursors, name, ({ number }) => [number]);
  }

  refusals(job: Job) {
    return this.jobs.refusals(job);
  }

  /** The steps of one job. @throws NOT_FOUND, BAD_CURSOR, RESUME_GAP */
  async changes(id: string, after: string | null | undefined): Promise<ChangeSubscription> {
    const uuid = uuidOf('Job', id);
    if (!(await this.find(uuid))) throw new FleetError('NOT_FOUND', 'there is no such job', { field: ['id'] });
    return this.events.subscribe({ type: JOB_STREAM, after, matches: (node) => node['uuid'] === uuid });
  }
}
