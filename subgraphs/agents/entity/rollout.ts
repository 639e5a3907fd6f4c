import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, Change, type LabelMatcher, Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { RolloutPhase, RolloutState } from './rollout-enums.ts';

@ObjectType({ description: 'What one comparison of the new version with the old one came to.' })
export class RolloutFinding {
  @Field({ description: 'errors, latency, throughput, memory, health, restarts or alerts.' })
  metric!: string;

  @Field({ description: 'HARM, PASS or WAIT.' })
  outcome!: string;

  @Field(() => Float, {
    nullable: true,
    description: 'How likely chance alone shows as much; null where nothing was compared.',
  })
  probability!: number | null;

  @Field({ description: 'The numbers in words.' })
  sentence!: string;
}

@ObjectType({ description: 'One stage of a rollout and where its agents are.' })
export class RolloutStage {
  @Field({ description: 'canary, or wave and its number.' })
  name!: string;

  @Field(() => Int, { description: 'How many agents it adds.' })
  agents!: number;

  @Field(() => Int, { description: 'Agents that have what they had.' })
  waiting!: number;

  @Field(() => Int, { description: 'Agents that are asked to change, to or fro.' })
  changing!: number;

  @Field(() => Int, { description: 'Agents that work with the new version.' })
  ready!: number;

  @Field(() => Int, { description: 'Agents that did not come up, failed, or are not heard.' })
  lost!: number;

  @Field(() => Int, { description: 'Agents that went back.' })
  back!: number;

  @Field(() => Int, { description: 'Agents that left.' })
  gone!: number;
}

/** A version on its way into the fleet. The rules' own words of it (plan, life, verdict) are kept as they are. */
@Entity('rollout')
@Directive('@key(fields: "id")')
@ObjectType({
  implements: Node,
  description: 'A version of a kind of agents on its way into the fleet: a canary first, then waves.',
})
export class Rollout {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life.' })
  get id(): string {
    return nodeId('Rollout', this.uuid);
  }

  @Column('text')
  @Field({ description: 'The kind of agents.' })
  kind!: string;

  @Column('text')
  @Field({ description: 'The version they get.' })
  version!: string;

  /** Which agents of the kind, as label matchers. */
  @Column('jsonb')
  labels!: LabelMatcher[];

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'Sizes of the stages, limits and times (milliseconds).' })
  plan!: Record<string, unknown>;

  @Column('jsonb')
  life!: Record<string, unknown>;

  @Column('text')
  @Field(() => RolloutState, { description: 'Where it is.' })
  state!: RolloutState;

  @Field(() => Int, { description: 'The stage it is at: 0 is the canary.' })
  get stage(): number {
    return Number(this.life['stage']);
  }

  @Field({ description: 'Why it is where it is.' })
  get reason(): string {
    return String(this.life['reason']);
  }

  @Field(() => Date, { description: 'Since when it is there.' })
  get since(): Date {
    return new Date(Number(this.life['sinceMs']));
  }

  @Field(() => Int, { description: 'How often the evidence was looked at.' })
  get looks(): number {
    return Number(this.life['looks']);
  }

  /** Counted with every step, so that a change tells them. */
  @Column('jsonb')
  @Field(() => [RolloutStage], { description: 'Its stages and where their agents are.' })
  stages!: RolloutStage[];

  @Column('jsonb')
  @Field(() => [RolloutFinding], { description: 'What the last look at the evidence found, in words and numbers.' })
  findings!: RolloutFinding[];

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'Why it was started.' })
  note!: string | null;

  @Column('timestamptz', { name: 'started_at' })
  @Field(() => Date, { description: 'When it was started.' })
  startedAt!: Date;

  @Column('jsonb', { name: 'started_by' })
  @Field(() => Actor, { description: 'Who started it.' })
  startedBy!: Actor;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  endedAt!: Date | null;

  /** uuid of the audit entry of the last thing a person did to it: the cause of what it does by itself. */
  @Column('uuid', { name: 'changed_by' })
  changedBy!: string;
}

@ObjectType({
  implements: Change,
  description: 'A change of a rollout: its state, its stage, or where its agents are.',
})
export class RolloutChange extends Change {
  @Field(() => Rollout, { description: 'The rollout as it was after the change.' })
  node!: Rollout;
}

const SHOWN = [
  ...[
    'uuid',
    'kind',
    'version',
    'labels',
    'plan',
    'life',
    'state',
    'stages',
    'findings',
    'note',
    'startedAt',
    'startedBy',
    'endedAt',
  ],
] as (keyof Rollout)[];

/** A rollout as JSON, for events. */
export function rolloutSnapshot(rollout: Rollout): Record<string, unknown> {
  return Object.fromEntries(SHOWN.map((field) => [field, rollout[field]]));
}

/** The rollout of a snapshot that went through JSON. */
export function rolloutOf(snapshot: Record<string, unknown>): Rollout {
  const { startedAt, endedAt } = snapshot;
  const times = { startedAt: new Date(String(startedAt)), endedAt: endedAt ? new Date(String(endedAt)) : null };
  return Object.assign(new Rollout(), snapshot, times);
}

/** The stages of a rollout and where their agents are. */
export function stagesOf(members: readonly { stage: number; phase: RolloutPhase }[], stages: number): RolloutStage[] {
  const counted = Array.from({ length: stages }, (_, at) => {
    const none = { agents: 0, waiting: 0, changing: 0, ready: 0, lost: 0, back: 0, gone: 0 };
    return Object.assign(new RolloutStage(), { name: at ? `wave ${at}` : 'canary', ...none });
  });
  const column = {
    ...{
      WAITING: 'waiting',
      SENT: 'changing',
      READY: 'ready',
      LOST: 'lost',
      BACK_SENT: 'changing',
      BACK: 'back',
      GONE: 'gone',
    },
  } as const satisfies Record<RolloutPhase, keyof RolloutStage>;
  for (const { stage, phase } of members) {
    const row = counted[stage] as RolloutStage;
    row.agents += 1;
    row[column[phase]] += 1;
  }
  return counted;
}
