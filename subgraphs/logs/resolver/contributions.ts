import { Arg, Args, ArgsType, Ctx, Directive, Field, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { LogFilter } from '../../../lib/graphql/log-filter.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import type { Page } from '../../../lib/page.ts';
import { Agent, Alert, LogConnection, type LogEntry, Trace } from '../entity/index.ts';
import type { LogContext } from './context.ts';

@ArgsType()
class AgentLogsArgs {
  @Field(() => Int, { nullable: true, description: 'How many; 1 to 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Behind this cursor.' })
  after?: string | null;

  @Field(() => LogFilter, { nullable: true, description: 'Which of them; all when absent.' })
  filter?: LogFilter | null;
}

/** Adds what it logged to the Agent that the agents house owns. */
@Resolver(() => Agent)
export class AgentLogsResolver {
  @FieldResolver(() => LogConnection, { nullable: true, description: 'What this agent logged, newest first.' })
  logs(
    @Root() agent: Agent,
    @Args(() => AgentLogsArgs) args: AgentLogsArgs,
    @Ctx() { service }: LogContext,
  ): Promise<Page<LogEntry>> {
    return service.ofAgent(agent.id, args);
  }
}

/** Adds its log entries to the Trace that the metrics house owns. */
@Resolver(() => Trace)
export class TraceLogsResolver {
  @FieldResolver(() => LogConnection, { nullable: true, description: 'What was logged in this trace, newest first.' })
  logs(
    @Root() trace: Trace,
    @Arg('first', () => Int, { nullable: true, description: 'How many; 1 to 100.' }) first: number | null,
    @Ctx() { service }: LogContext,
  ): Promise<Page<LogEntry>> {
    return service.ofTrace(trace.traceId, first);
  }
}

/** Adds what was logged around it to the Alert that the alerts house owns. */
@Resolver(() => Alert)
export class AlertLogsResolver {
  @Directive('@requires(fields: "startedAt agent { id }")')
  @FieldResolver(() => LogConnection, {
    nullable: true,
    description: 'What was logged around the time it began, newest first; by its agent, if it is about one.',
  })
  logs(
    @Root() alert: Alert,
    @Arg('within', () => SCALARS.Duration, {
      nullable: true,
      defaultValue: 'PT5M',
      description: 'How long before and after it began.',
    })
    within: string,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50, description: 'How many; 1 to 100.' }) first: number,
    @Ctx() { service }: LogContext,
  ): Promise<Page<LogEntry>> {
    return service.aroundAlert(alert, within, first);
  }
}
