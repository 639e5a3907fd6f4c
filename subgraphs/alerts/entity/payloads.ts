import { Field, ObjectType } from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';
import { Alert } from './alert.ts';
import { ContactPoint, EscalationPolicy } from './contact.ts';
import { AlertRule } from './rule.ts';

@ObjectType({ description: 'What became of a change of an alert.' })
export class AlertPayload {
  @Field(() => Alert, { nullable: true, description: 'The alert now; null when it was refused.' })
  alert!: Alert | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of a rule that was applied.' })
export class AlertRulePayload {
  @Field(() => AlertRule, {
    nullable: true,
    description: 'The rule now, or as it would be after a dry run; null when it was refused.',
  })
  rule!: AlertRule | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of an escalation policy that was applied.' })
export class EscalationPolicyPayload {
  @Field(() => EscalationPolicy, {
    nullable: true,
    description: 'The policy now, or as it would be after a dry run; null when it was refused.',
  })
  policy!: EscalationPolicy | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of a contact point that was applied.' })
export class ContactPointPayload {
  @Field(() => ContactPoint, {
    nullable: true,
    description: 'The contact point now, or as it would be after a dry run; null when it was refused.',
  })
  contactPoint!: ContactPoint | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would; a secret’s value is never told.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}
