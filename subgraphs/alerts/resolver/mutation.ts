import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import { ContactPoint, EscalationPolicy } from '../entity/contact.ts';
import {
  AlertActionInput,
  AlertRuleInput,
  ContactPointInput,
  EscalationPolicyInput,
  RaiseAlertInput,
} from '../entity/inputs.ts';
import { AlertPayload, AlertRulePayload, ContactPointPayload, EscalationPolicyPayload } from '../entity/payloads.ts';
import { AlertRule } from '../entity/rule.ts';
import type { AlertResult } from '../service/alerts.ts';
import type { AlertsContext } from './context.ts';

const INPUT = { description: 'What to do.' };

@Resolver()
export class AlertMutationResolver {
  @Mutation(() => AlertPayload, {
    nullable: true,
    description: 'Raises an alert that fires at once; while one with the same dedupKey is open, that one is returned.',
  })
  async raiseAlert(
    @Arg('input', () => RaiseAlertInput, INPUT) input: RaiseAlertInput,
    @Ctx() context: AlertsContext,
  ): Promise<AlertPayload> {
    return await alertPayload(context, await context.alerts.raise(context.call, input));
  }

  @Mutation(() => AlertPayload, { nullable: true, description: 'Takes an alert on: its escalation stops.' })
  async acknowledgeAlert(
    @Arg('input', () => AlertActionInput, INPUT) input: AlertActionInput,
    @Ctx() context: AlertsContext,
  ): Promise<AlertPayload> {
    return await alertPayload(context, await context.alerts.acknowledge(context.call, input));
  }

  @Mutation(() => AlertPayload, {
    nullable: true,
    description: 'Ends an alert. Its rule opens another only after its condition was clear once.',
  })
  async resolveAlert(
    @Arg('input', () => AlertActionInput, INPUT) input: AlertActionInput,
    @Ctx() context: AlertsContext,
  ): Promise<AlertPayload> {
    return await alertPayload(context, await context.alerts.resolve(context.call, input));
  }

  @Mutation(() => AlertRulePayload, { nullable: true, description: 'Makes the rule of this name what the input says.' })
  async applyAlertRule(
    @Arg('input', () => AlertRuleInput, INPUT) input: AlertRuleInput,
    @Ctx() { rules, loaders, call }: AlertsContext,
  ): Promise<AlertRulePayload> {
    const outcome = await rules.apply(call, input);
    const { preview, uuid } = outcome.result ?? {};
    const rule = preview ? Object.assign(new AlertRule(), preview) : uuid ? await loaders.rule.load(uuid) : null;
    return { rule, changes: outcome.result?.changes ?? [], ...receipt(outcome) };
  }

  @Mutation(() => DeletedPayload, { nullable: true, description: 'Deletes a rule; its open alerts are resolved.' })
  async deleteAlertRule(
    @Arg('input', () => DeleteByNameInput, INPUT) input: DeleteByNameInput,
    @Ctx() { rules, call }: AlertsContext,
  ): Promise<DeletedPayload> {
    const outcome = await rules.delete(call, input);
    return { name: outcome.result?.name ?? null, ...receipt(outcome) };
  }

  @Mutation(() => EscalationPolicyPayload, {
    nullable: true,
    description: 'Makes the escalation policy of this name what the input says.',
  })
  async applyEscalationPolicy(
    @Arg('input', () => EscalationPolicyInput, INPUT) input: EscalationPolicyInput,
    @Ctx() { contacts, read, call }: AlertsContext,
  ): Promise<EscalationPolicyPayload> {
    const outcome = await contacts.applyPolicy(call, input);
    const { preview, name } = outcome.result ?? {};
    const policy = preview ? Object.assign(new EscalationPolicy(), preview) : name ? await read.policy(name) : null;
    return { policy, changes: outcome.result?.changes ?? [], ...receipt(outcome) };
  }

  @Mutation(() => ContactPointPayload, {
    nullable: true,
    description: 'Makes the contact point of this name what the input says.',
  })
  async applyContactPoint(
    @Arg('input', () => ContactPointInput, INPUT) input: ContactPointInput,
    @Ctx() { contacts, read, call }: AlertsContext,
  ): Promise<ContactPointPayload> {
    const outcome = await contacts.applyContactPoint(call, input);
    const { preview, name } = outcome.result ?? {};
    const contactPoint = preview
      ? Object.assign(new ContactPoint(), preview)
      : name
        ? await read.contactPoint(name)
        : null;
    return { contactPoint, changes: outcome.result?.changes ?? [], ...receipt(outcome) };
  }
}

async function alertPayload({ loaders }: AlertsContext, outcome: WriteOutcome<AlertResult>): Promise<AlertPayload> {
  const alert = outcome.result ? await loaders.alert.load(outcome.result.uuid) : null;
  return { alert, ...receipt(outcome) };
}

function receipt({ userErrors, auditEntry }: WriteOutcome<unknown>) {
  return { userErrors, auditEntry: AuditEntryReference.of(auditEntry) };
}
