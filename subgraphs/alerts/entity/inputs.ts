import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { LabelMatcher, TimeRange } from '../../../lib/graphql/shared.ts';
import { AlertConditionInput } from './condition.ts';
import { AlertSeverity, AlertState, ContactPointKind } from './enums.ts';

const KEY = 'Idempotency key: a repeat returns the first outcome.';
const EXPECTED = 'Refused with CONFLICT when it has another version; 0 means that there must be none yet.';
const DRY_RUN = 'Only tells what would change.';

@InputType({ description: 'Which alerts: lists mean any of, and all parts must hold.' })
export class AlertFilter {
  @Field(() => String, {
    nullable: true,
    description: 'An expression of the search language over name, labels, annotations and fields.',
  })
  query?: string | null;

  @Field(() => [AlertState], { nullable: true, description: 'Any of these states.' })
  states?: AlertState[] | null;

  @Field(() => [AlertSeverity], { nullable: true, description: 'Any of these severities.' })
  severities?: AlertSeverity[] | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether somebody has taken them on.' })
  acknowledged?: boolean | null;

  @Field(() => [String], { nullable: true, description: 'Any of these names.' })
  names?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'About any of these agents, by id.' })
  agentIds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Opened by any of these rules, by name.' })
  rules?: string[] | null;

  @Field(() => [LabelMatcher], { nullable: true, description: 'Conditions on labels.' })
  labels?: LabelMatcher[] | null;

  @Field(() => TimeRange, { nullable: true, description: 'Started in this stretch of time.' })
  range?: TimeRange | null;
}

@InputType({ description: 'Raises an alert that no rule watches for.' })
export class RaiseAlertInput {
  @Field({ description: 'Its name, 1 to 256 characters.' })
  name!: string;

  @Field(() => AlertSeverity, { description: 'How urgent it is.' })
  severity!: AlertSeverity;

  @Field(() => String, {
    nullable: true,
    description: 'While an alert raised with the same key is open, that one is returned and nothing happens.',
  })
  dedupKey?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The agent it is about; an agent that raises one means itself without it.',
  })
  agentId?: string | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'What tells it from others.' })
  labels?: Record<string, string> | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'Texts for whoever looks at it.' })
  annotations?: Record<string, string> | null;

  @Field(() => Float, { nullable: true, description: 'What was measured.' })
  value?: number | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'Something to do with one alert.' })
export class AlertActionInput {
  @Field(() => ID, { description: 'Global id of the alert.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'What to say with it, up to 2,000 characters.' })
  note?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'A whole rule: what is not given gets its default.' })
export class AlertRuleInput {
  @Field({ description: 'Its name: a rule of this name is replaced.' })
  name!: string;

  @Field(() => AlertSeverity, { description: 'How urgent its alerts are.' })
  severity!: AlertSeverity;

  @Field(() => AlertConditionInput, { description: 'What is watched: exactly one of its fields.' })
  condition!: AlertConditionInput;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long the condition must hold before an alert fires; at once without it.',
  })
  for?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long the condition must be clear before an alert is resolved; at once without it.',
  })
  keepFiringFor?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How often it is evaluated, PT1S to P1D; PT5S without it.',
  })
  every?: string | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'Labels that each of its alerts gets.' })
  labels?: Record<string, string> | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'Texts that each of its alerts gets.' })
  annotations?: Record<string, string> | null;

  @Field(() => String, { nullable: true, description: 'The policy its alerts escalate by; `default` without it.' })
  escalationPolicy?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether it is evaluated; yes without it. Switching it off resolves its alerts.',
  })
  enabled?: boolean | null;

  @Field(() => Int, { nullable: true, description: EXPECTED })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: DRY_RUN })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'One step of an escalation.' })
export class EscalationStepInput {
  @Field(() => SCALARS.Duration, {
    description: 'Pause since the step before; of the first step, since the alert fired.',
  })
  after!: string;

  @Field(() => [String], { description: 'Names of the contact points that are told.' })
  contactPoints!: string[];
}

@InputType({ description: 'A whole escalation policy.' })
export class EscalationPolicyInput {
  @Field({ description: 'Its name: a policy of this name is replaced.' })
  name!: string;

  @Field(() => [EscalationStepInput], { description: 'Its steps, in order, 20 at most.' })
  steps!: EscalationStepInput[];

  @Field(() => Int, { nullable: true, description: 'How many more rounds follow the first, 0 to 10; none without it.' })
  repeat?: number | null;

  @Field(() => Int, { nullable: true, description: EXPECTED })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: DRY_RUN })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'A contact point.' })
export class ContactPointInput {
  @Field({ description: 'Its name: a contact point of this name is replaced.' })
  name!: string;

  @Field(() => ContactPointKind, { description: 'How it is reached.' })
  kind!: ContactPointKind;

  @Field({ description: 'Its address, http or https, public.' })
  target!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Signs webhooks (`whsec_` and base64, or any text); the routing key of PagerDuty. Kept encrypted, never shown; the one it has stays without it.',
  })
  secret?: string | null;

  @Field(() => Int, { nullable: true, description: EXPECTED })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: DRY_RUN })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}
