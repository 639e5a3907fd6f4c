import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, Change, Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';

export enum AgentAction {
  START = 'START',
  PAUSE = 'PAUSE',
  RESUME = 'RESUME',
  RESTART = 'RESTART',
  STOP = 'STOP',
  QUARANTINE = 'QUARANTINE',
  RELEASE = 'RELEASE',
  RETIRE = 'RETIRE',
}
registerEnumType(AgentAction, {
  name: 'AgentAction',
  description: 'What can be asked of many agents at once.',
  valuesConfig: {
    START: { description: 'Work, if at rest.' },
    PAUSE: { description: 'Hold the work.' },
    RESUME: { description: 'Go on with it.' },
    RESTART: { description: 'Start anew.' },
    STOP: { description: 'Rest.' },
    QUARANTINE: { description: 'Be kept from work until released.' },
    RELEASE: { description: 'Out of quarantine, to what was asked before.' },
    RETIRE: { description: 'End for good.' },
  },
});

export enum JobState {
  QUEUED = 'QUEUED',
  RUNNING = 'RUNNING',
  FINISHED = 'FINISHED',
  CANCELLED = 'CANCELLED',
}
registerEnumType(JobState, {
  name: 'JobState',
  description: 'How far a job is.',
  valuesConfig: {
    QUEUED: { description: 'Its agents are fixed; none was asked yet.' },
    RUNNING: { description: 'Its agents are being asked.' },
    FINISHED: { description: 'Each of its agents was asked, or refused: `refused` says how many.' },
    CANCELLED: { description: 'It was ended before all were asked.' },
  },
});

export enum JobTargetState {
  WAITING = 'WAITING',
  DONE = 'DONE',
  REFUSED = 'REFUSED',
  SKIPPED = 'SKIPPED',
}
registerEnumType(JobTargetState, {
  name: 'JobTargetState',
  description: 'What became of one agent of a job.',
  valuesConfig: {
    WAITING: { description: 'Its turn has not come.' },
    DONE: { description: 'It was asked: the command is in its mailbox.' },
    REFUSED: { description: 'Its life had no such move when its turn came.' },
    SKIPPED: { description: 'The job was cancelled before its turn.' },
  },
});

/** Something asked of many agents, carried out in batches: kept, so that it outlives every process. */
@Entity('job')
@Directive('@key(fields: "id")')
@ObjectType('Job', { implements: Node, description: 'Something asked of many agents, carried out batch by batch.' })
export class Job {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life.' })
  get id(): string {
    return nodeId('Job', this.uuid);
  }

  @Column('text')
  @Field(() => AgentAction, { description: 'What is asked.' })
  action!: AgentAction;

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'The filter that named its agents when it was made.' })
  filter!: Record<string, unknown>;

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'Why, as the caller said.' })
  reason!: string | null;

  @Column('text')
  @Field(() => JobState, { description: 'How far it is.' })
  state!: JobState;

  @Column('int')
  @Field(() => Int, { description: 'How many agents it is about: fixed when it is made.' })
  total!: number;

  @Column('int')
  @Field(() => Int, { description: 'How many were asked.' })
  done!: number;

  @Column('int')
  @Field(() => Int, { description: 'How many refused: `refusals` says why.' })
  refused!: number;

  @Field(() => Float, { description: 'Share of its agents whose turn has come, 0 to 1.' })
  get progress(): number {
    return this.total ? (this.done + this.refused) / this.total : 1;
  }

  @Column('timestamptz', { name: 'created_at' })
  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Column('jsonb', { name: 'created_by' })
  @Field(() => Actor, { description: 'Who asked for it.' })
  createdBy!: Actor;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When its first agents were asked.' })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  finishedAt!: Date | null;

  /** uuid of the audit entry that made it: the cause of all that it does. */
  @Column('uuid', { name: 'entry_id' })
  entryId!: string;

  /** When it had its last turn among the jobs. */
  @Column('timestamptz', { name: 'stepped_at', nullable: true })
  steppedAt!: Date | null;
}

/** One agent of a job. */
@Entity('job_target')
@ObjectType({ description: 'One agent of a job.' })
export class JobTarget {
  @PrimaryColumn('uuid', { name: 'job_id' })
  jobUuid!: string;

  @PrimaryColumn('int')
  @Field(() => Int, { description: 'Its turn, from 1.' })
  number!: number;

  @Column('uuid', { name: 'agent_id' })
  agentUuid!: string;

  @Column('text')
  @Field(() => JobTargetState, { description: 'What became of it.' })
  state!: JobTargetState;

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'Why it refused.' })
  reason!: string | null;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When its turn came.' })
  settledAt!: Date | null;
}

@ObjectType({ description: 'Why agents of a job refused.' })
export class JobRefusal {
  @Field({ description: 'Why they refused, in the words of their userErrors.' })
  reason!: string;

  @Field(() => Int, { description: 'How many agents.' })
  count!: number;
}

@ObjectType({ implements: Change, description: 'A step of a job.' })
export class JobChange extends Change {
  @Field(() => Job, { description: 'The job as it was after the step.' })
  node!: Job;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'Its own fields before the step.' })
  previous!: unknown;
}

const TIMES = ['createdAt', 'startedAt', 'finishedAt'] as const;
const SHOWN = [
  ...(['uuid', 'action', 'filter', 'reason', 'state', 'total', 'done', 'refused', 'createdBy'] as const),
  ...TIMES,
];

/** A job's own fields as JSON, for events and audit entries. */
export function jobSnapshotOf(job: Job): Record<string, unknown> {
  return Object.fromEntries(SHOWN.map((field) => [field, job[field]]));
}

/** The job of a snapshot that went through JSON. */
export function jobOf(snapshot: Record<string, unknown>): Job {
  const times = TIMES.map((field) => [field, snapshot[field] ? new Date(String(snapshot[field])) : null]);
  return Object.assign(new Job(), snapshot, Object.fromEntries(times));
}
