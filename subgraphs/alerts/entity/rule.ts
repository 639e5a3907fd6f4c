import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';
import type { Condition } from './condition.ts';
import { AlertSeverity, RuleHealth } from './enums.ts';

/** What is watched, and how long it must hold. */
@Entity('alert_rule')
@Directive('@key(fields: "id")')
@ObjectType({
  implements: Node,
  description: 'What is watched, and for how long it must hold before somebody is told.',
})
export class AlertRule {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life; `node(id)` finds it again.' })
  get id(): string {
    return nodeId('AlertRule', this.uuid);
  }

  @Column('text')
  @Field({ description: 'Its name, by which it is applied and deleted; also the name of its alerts.' })
  name!: string;

  @Column('int')
  @Field(() => Int, { description: 'Counts its changes, from 1.' })
  version!: number;

  @Column('text')
  @Field(() => AlertSeverity, { description: 'How urgent its alerts are.' })
  severity!: AlertSeverity;

  @Column('boolean')
  @Field({ description: 'Whether it is evaluated.' })
  enabled!: boolean;

  /** Milliseconds, as the Duration scalar takes them. */
  @Column('int', { name: 'for_ms' })
  @Field(() => SCALARS.Duration, {
    name: 'for',
    description: 'How long the condition must hold before an alert fires.',
  })
  forMs!: number;

  @Column('int', { name: 'keep_firing_for_ms' })
  @Field(() => SCALARS.Duration, {
    name: 'keepFiringFor',
    description: 'How long the condition must be clear before an alert is resolved.',
  })
  keepFiringForMs!: number;

  @Column('int', { name: 'every_ms' })
  @Field(() => SCALARS.Duration, { name: 'every', description: 'How often it is evaluated.' })
  everyMs!: number;

  @Column('jsonb')
  @Field(() => SCALARS.JSON, { description: 'The condition as it was applied.' })
  condition!: Condition;

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'Labels that each of its alerts gets.' })
  labels!: Record<string, string>;

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'Texts that each of its alerts gets, such as a runbook’s address.' })
  annotations!: Record<string, string>;

  @Column('text', { name: 'escalation_policy', nullable: true })
  @Field(() => String, { nullable: true, description: 'The policy its alerts escalate by; null means `default`.' })
  escalationPolicy!: string | null;

  @Column('text')
  @Field(() => RuleHealth, { description: 'How its last evaluation went.' })
  health!: RuleHealth;

  @Column('text', { name: 'health_reason', nullable: true })
  @Field(() => String, { nullable: true, description: 'Why its health is not OK.' })
  healthReason!: string | null;

  @Column('timestamptz', { name: 'last_evaluated_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it was last evaluated, well or not.' })
  lastEvaluatedAt!: Date | null;

  @Column('timestamptz', { name: 'next_evaluation_at' })
  nextEvaluationAt!: Date;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}

export const { Connection: AlertRuleConnection } = connectionOf(() => AlertRule, 'AlertRule');

/** What a caller sees of a rule's configuration: compared for changes, written to audit. */
export function configurationOf(rule: AlertRule): object {
  const { name, severity, enabled, forMs, keepFiringForMs, everyMs } = rule;
  const { condition, labels, annotations, escalationPolicy } = rule;
  return {
    name,
    severity,
    enabled,
    for: SCALARS.Duration.serialize(forMs),
    keepFiringFor: SCALARS.Duration.serialize(keepFiringForMs),
    every: SCALARS.Duration.serialize(everyMs),
    condition,
    labels,
    annotations,
    escalationPolicy,
  };
}
