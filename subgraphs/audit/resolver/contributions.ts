import { Arg, Args, Ctx, Directive, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import type { Page } from '../../../lib/page.ts';
import { Agent, Alert, AuditEntry, AuditEntryConnection, NewestEntriesArgs } from '../entity/index.ts';
import { noteAsked } from './asking.ts';
import type { AuditContext } from './context.ts';

/** Adds the trail of an agent to the Agent that the agents house owns. */
@Resolver(() => Agent)
export class AgentAuditResolver {
  @FieldResolver(() => AuditEntryConnection, {
    nullable: true,
    description: 'What was changed or attempted on this agent, newest first.',
  })
  auditEntries(
    @Root() agent: Agent,
    @Args(() => NewestEntriesArgs) args: NewestEntriesArgs,
    @Ctx() context: AuditContext,
  ): Promise<Page<AuditEntry>> {
    noteAsked(context, 'Agent.auditEntries', args.filter);
    return context.loaders.ofTarget(args).load(agent.id);
  }
}

/** Adds what was changed before it to the Alert that the alerts house owns. */
@Resolver(() => Alert)
export class AlertAuditResolver {
  @Directive('@requires(fields: "startedAt agent { id }")')
  @FieldResolver(() => AuditEntryConnection, {
    nullable: true,
    description:
      'What was changed on its agent in the time before it started, newest first; observations are left out.',
  })
  precedingChanges(
    @Root() alert: Alert,
    @Arg('within', () => SCALARS.Duration, {
      nullable: true,
      defaultValue: 'PT30M',
      description: 'How long before it started.',
    })
    within: string | null,
    @Arg('first', () => Int, { nullable: true, defaultValue: 10, description: 'How many; 1 to 100.' })
    first: number | null,
    @Ctx() { call, service, readings }: AuditContext,
  ): Promise<Page<AuditEntry>> {
    readings.note(call, 'Alert.precedingChanges');
    return service.preceding(alert, within ?? 'PT30M', first ?? 10);
  }
}
