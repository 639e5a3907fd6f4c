import { Arg, Args, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { Page } from '../../../lib/page.ts';
import { Alert, AlertConnection, AlertExplanation, Escalation } from '../entity/alert.ts';
import { NewestAlertsArgs } from '../entity/args.ts';
import { Notification } from '../entity/contact.ts';
import { AlertRule } from '../entity/rule.ts';
import { AgentReference, TraceReference } from '../entity/stubs.ts';
import { explain } from '../service/why.ts';
import type { AlertsContext } from './context.ts';

@Resolver(() => Alert)
export class AlertResolver {
  @FieldResolver(() => String, { nullable: true, description: 'One of its labels.' })
  label(@Root() { labels }: Alert, @Arg('name', { description: 'The label’s name.' }) name: string): string | null {
    return Object.hasOwn(labels, name) ? (labels[name] ?? null) : null;
  }

  @FieldResolver(() => AlertRule, {
    nullable: true,
    description: 'The rule that opened it; null when a caller did, or when the rule is gone.',
  })
  rule(@Root() { ruleUuid }: Alert, @Ctx() { loaders }: AlertsContext): Promise<AlertRule | null> | null {
    return ruleUuid ? loaders.rule.load(ruleUuid) : null;
  }

  @FieldResolver(() => AgentReference, { nullable: true, description: 'The agent it is about.' })
  agent(@Root() { agentId }: Alert): AgentReference | null {
    return agentId ? AgentReference.of(agentId) : null;
  }

  @FieldResolver(() => TraceReference, { nullable: true, description: 'A trace that shows what it is about.' })
  trace(@Root() { traceId }: Alert): TraceReference | null {
    return traceId ? TraceReference.of(traceId) : null;
  }

  @FieldResolver(() => Escalation, {
    nullable: true,
    description: 'How far its escalation has come; null before it fired.',
  })
  async escalation(@Root() alert: Alert, @Ctx() { loaders }: AlertsContext): Promise<Escalation | null> {
    // The alert of an event does not carry it: it is read as it is now.
    const now = await loaders.alert.load(alert.uuid);
    if (!now?.escalationPolicy || !now.firedAt) return null;
    const nextAt = now.acknowledgement ? null : now.escalationNextAt;
    return Object.assign(new Escalation(), { policy: now.escalationPolicy, step: now.escalationStep, nextAt });
  }

  @FieldResolver(() => [Notification], { nullable: true, description: 'What was or will be sent about it, in order.' })
  notifications(@Root() { uuid }: Alert, @Ctx() { loaders }: AlertsContext): Promise<Notification[]> {
    return loaders.notifications.load(uuid);
  }

  @FieldResolver(() => AlertExplanation, { nullable: true, description: 'Why it was opened.' })
  async why(@Root() { uuid }: Alert, @Ctx() { loaders }: AlertsContext): Promise<AlertExplanation | null> {
    const now = await loaders.alert.load(uuid);
    return now && explain(now);
  }
}

@Resolver(() => AlertRule)
export class AlertRuleResolver {
  @FieldResolver(() => Int, { description: 'How many of its alerts fire or recover now.' })
  firing(@Root() { uuid }: AlertRule, @Ctx() { loaders }: AlertsContext): Promise<number> {
    return loaders.firing.load(uuid);
  }
}

/** Adds its alerts to the Agent that the agents house owns. */
@Resolver(() => AgentReference)
export class AgentAlertsResolver {
  @FieldResolver(() => AlertConnection, { nullable: true, description: 'Alerts about it, newest first.' })
  alerts(
    @Root() { id }: AgentReference,
    @Args(() => NewestAlertsArgs) args: NewestAlertsArgs,
    @Ctx() { loaders }: AlertsContext,
  ): Promise<Page<Alert>> {
    return loaders.ofAgent(args).load(id);
  }
}
