import { Directive, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, Change, Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';
import { AlertSeverity, AlertState } from './enums.ts';

@ObjectType({ description: 'Somebody has taken an alert on.' })
export class Acknowledgement {
  @Field(() => Date, { description: 'When it was taken on.' })
  at!: Date | string;

  @Field(() => Actor, { description: 'Who has taken it on.' })
  by!: Actor;

  @Field(() => Date, { nullable: true, description: 'When it ends and escalation goes on; null means it lasts.' })
  until!: Date | string | null;

  @Field(() => String, { nullable: true, description: 'What they said.' })
  note!: string | null;
}

@ObjectType({ description: 'One value at one time.' })
export class Sample {
  @Field(() => Date, { description: 'When it was measured.' })
  time!: Date | string;

  @Field(() => Float, { description: 'What was measured then.' })
  value!: number;
}

@ObjectType({ description: 'Why an alert was opened: what was measured, against what.' })
export class AlertExplanation {
  @Field({ description: 'One sentence.' })
  summary!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'The version of the rule that opened it; null when it was raised by a caller.',
  })
  ruleVersion!: number | null;

  @Field(() => [Sample], { description: 'The values that were looked at, oldest first.' })
  samples!: Sample[];

  @Field(() => Float, { nullable: true, description: 'The bound that was passed.' })
  threshold!: number | null;

  @Field(() => [String], { description: 'Addresses among its annotations, such as a runbook’s.' })
  links!: string[];
}

@ObjectType({ description: 'How far an alert’s escalation has come.' })
export class Escalation {
  @Field({ description: 'The policy’s name.' })
  policy!: string;

  @Field(() => Int, { description: 'Steps taken in this round.' })
  step!: number;

  @Field(() => Date, {
    nullable: true,
    description: 'When the next step is due; null when there is none or somebody acknowledged.',
  })
  nextAt!: Date | null;
}

/** One thing that is or was wrong. Row and GraphQL type are the same class; times in rows are whole milliseconds. */
@Entity('alert')
@Directive('@key(fields: "id")')
@ObjectType({ implements: Node, description: 'One thing that is or was wrong, from its first sign to its end.' })
export class Alert {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life; `node(id)` finds it again.' })
  get id(): string {
    return nodeId('Alert', this.uuid);
  }

  @Column('text')
  @Field({
    description: 'What it is about: the same for each alert of one rule and instance. At most one of them is open.',
  })
  fingerprint!: string;

  @Column('text')
  @Field({ description: 'The name of its rule, or the one it was raised with.' })
  name!: string;

  @Column('text')
  @Field(() => AlertSeverity, { description: 'How urgent it is.' })
  severity!: AlertSeverity;

  @Column('text')
  @Field(() => AlertState, { description: 'Where it is in its life.' })
  state!: AlertState;

  @Column('jsonb', { nullable: true })
  @Field(() => Acknowledgement, { nullable: true, description: 'Who has taken it on.' })
  acknowledgement!: Acknowledgement | null;

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'What tells it from others.' })
  labels!: Record<string, string>;

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'Texts for whoever looks at it.' })
  annotations!: Record<string, string>;

  @Column('double precision', { nullable: true })
  @Field(() => Float, {
    nullable: true,
    description: 'The newest value that breached; null where there is nothing to measure.',
  })
  value!: number | null;

  @Column('timestamptz', { name: 'started_at' })
  @Field(() => Date, { description: 'When the condition was first seen to hold.' })
  startedAt!: Date;

  @Column('timestamptz', { name: 'fired_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it fired; null if it has not.' })
  firedAt!: Date | null;

  @Column('timestamptz', { name: 'resolved_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  resolvedAt!: Date | null;

  @Column('jsonb', { name: 'resolved_by', nullable: true })
  @Field(() => Actor, { nullable: true, description: 'Who ended it; the platform when the condition was clear.' })
  resolvedBy!: Actor | null;

  /** Global id of the agent it is about. */
  @Column('text', { name: 'agent_id', nullable: true })
  agentId!: string | null;

  @Column('text', { name: 'trace_id', nullable: true })
  traceId!: string | null;

  @Column('uuid', { name: 'rule_id', nullable: true })
  ruleUuid!: string | null;

  @Column('text', { name: 'rule_name', nullable: true })
  ruleName!: string | null;

  @Column('int', { name: 'rule_version', nullable: true })
  ruleVersion!: number | null;

  /** What words of a search are looked for in; see search.ts. */
  @Column('text')
  words!: string;

  @Column('text')
  summary!: string;

  @Column('jsonb')
  samples!: Sample[];

  @Column('double precision', { nullable: true })
  threshold!: number | null;

  @Column('timestamptz', { name: 'clear_since', nullable: true })
  clearSince!: Date | null;

  @Column('boolean')
  held!: boolean;

  @Column('text', { name: 'escalation_policy', nullable: true })
  escalationPolicy!: string | null;

  @Column('int', { name: 'escalation_step' })
  escalationStep!: number;

  @Column('int', { name: 'escalation_round' })
  escalationRound!: number;

  @Column('timestamptz', { name: 'escalation_next_at', nullable: true })
  escalationNextAt!: Date | null;

  /** uuid of the audit entry of its firing. */
  @Column('uuid', { name: 'fired_entry', nullable: true })
  firedEntry!: string | null;
}

export const { Edge: AlertEdge, Connection: AlertConnection } = connectionOf(() => Alert, 'Alert', true);

@ObjectType({
  implements: Change,
  description: 'A change of an alert: its state, severity, acknowledgement, value or labels.',
})
export class AlertChange extends Change {
  @Field(() => Alert, { description: 'The alert as of this change.' })
  node!: Alert;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'What it was before; null when it is new.' })
  previous!: unknown;
}
