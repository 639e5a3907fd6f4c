import { Arg, Args, Ctx, ID, Query, Resolver } from 'type-graphql';
import { FleetError } from '../../../lib/errors.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import type { Page } from '../../../lib/page.ts';
import { Alert, AlertConnection } from '../entity/alert.ts';
import { AlertsArgs, ForwardArgs } from '../entity/args.ts';
import { ContactPoint, EscalationPolicy } from '../entity/contact.ts';
import { AlertRule, AlertRuleConnection } from '../entity/rule.ts';
import type { AlertsContext } from './context.ts';

@Resolver()
export class AlertQueryResolver {
  @Query(() => Alert, { nullable: true, description: 'One alert, by exactly one of its id and its fingerprint.' })
  async alert(
    @Arg('id', () => ID, { nullable: true, description: 'Global id of the alert.' }) id: string | null | undefined,
    @Arg('fingerprint', () => String, {
      nullable: true,
      description: 'Its fingerprint: the open one, or the last there was.',
    })
    fingerprint: string | null | undefined,
    @Ctx() { loaders, read }: AlertsContext,
  ): Promise<Alert | null> {
    exactlyOne(id, fingerprint, 'an alert is asked for by `id` or by `fingerprint`');
    if (fingerprint != null) return (await read.byFingerprint(fingerprint)) ?? null;
    const node = readNodeId(id ?? '');
    return node?.type === 'Alert' ? await loaders.alert.load(node.uuid) : null;
  }

  @Query(() => AlertConnection, { nullable: true, description: 'Alerts, newest first.' })
  alerts(
    @Args(() => AlertsArgs) { filter, ...page }: AlertsArgs,
    @Ctx() { read }: AlertsContext,
  ): Promise<Page<Alert>> {
    return read.alerts(page, filter ?? {});
  }

  @Query(() => AlertRule, { nullable: true, description: 'One rule, by exactly one of its id and its name.' })
  async alertRule(
    @Arg('id', () => ID, { nullable: true, description: 'Global id of the rule.' }) id: string | null | undefined,
    @Arg('name', () => String, { nullable: true, description: 'The rule’s name.' }) name: string | null | undefined,
    @Ctx() { loaders, read }: AlertsContext,
  ): Promise<AlertRule | null> {
    exactlyOne(id, name, 'a rule is asked for by `id` or by `name`');
    if (name != null) return await read.ruleByName(name);
    const node = readNodeId(id ?? '');
    return node?.type === 'AlertRule' ? await loaders.rule.load(node.uuid) : null;
  }

  @Query(() => AlertRuleConnection, { nullable: true, description: 'Rules, newest first.' })
  alertRules(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() { read }: AlertsContext): Promise<Page<AlertRule>> {
    return read.rules(args);
  }

  @Query(() => [EscalationPolicy], { nullable: true, description: 'All escalation policies, by name.' })
  escalationPolicies(@Ctx() { read }: AlertsContext): Promise<EscalationPolicy[]> {
    return read.policies();
  }

  @Query(() => [ContactPoint], { nullable: true, description: 'All contact points, by name.' })
  contactPoints(@Ctx() { read }: AlertsContext): Promise<ContactPoint[]> {
    return read.contactPoints();
  }
}

function exactlyOne(a: string | null | undefined, b: string | null | undefined, sentence: string): void {
  if ((a == null) === (b == null)) throw new FleetError('BAD_INPUT', sentence);
}
