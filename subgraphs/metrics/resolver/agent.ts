import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { SeriesQuery } from '../../../lib/graphql/series-query.ts';
import { TimeRange } from '../../../lib/graphql/shared.ts';
import type { Page } from '../../../lib/page.ts';
import { MeasuredAgent } from '../entity/agent.ts';
import { BottleneckFinding } from '../entity/bottleneck.ts';
import { SeriesResult } from '../entity/series.ts';
import { Trace, TraceConnection, TraceFilter } from '../entity/trace.ts';
import { AgentUsage } from '../entity/usage.ts';
import { usageStretch } from '../service/usage.ts';
import type { MetricsContext } from './context.ts';
import { ForwardArgs } from './metric.ts';

/** What this house adds to an agent. */
@Resolver(() => MeasuredAgent)
export class AgentResolver {
  @FieldResolver(() => SeriesResult, {
    nullable: true,
    description: 'Series that it measured: label `agent_id` is its id.',
  })
  series(
    @Root() agent: MeasuredAgent,
    @Arg('query', () => SeriesQuery, { description: 'Which series, and what is made of them.' }) query: SeriesQuery,
    @Ctx() { measures }: MetricsContext,
  ): Promise<SeriesResult> {
    return measures.readOfAgent(agent.id, query);
  }

  @FieldResolver(() => TraceConnection, { nullable: true, description: 'Traces that it took part in, newest first.' })
  traces(
    @Root() agent: MeasuredAgent,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('filter', () => TraceFilter, { nullable: true, description: 'Which of them; nothing means all.' })
    filter: TraceFilter | null | undefined,
    @Ctx() { traces }: MetricsContext,
  ): Promise<Page<Trace>> {
    return traces.list(args, filter, agent.id);
  }

  @FieldResolver(() => AgentUsage, { nullable: true, description: 'What it did and spent.' })
  usage(
    @Root() agent: MeasuredAgent,
    @Arg('range', () => TimeRange, {
      nullable: true,
      description: 'Work that began in this stretch; nothing means the last hour.',
    })
    range: TimeRange | null | undefined,
    @Ctx() { loaders, nowMs }: MetricsContext,
  ): Promise<AgentUsage> {
    return loaders.usage.load({ agentId: agent.id, stretch: usageStretch(range, nowMs) });
  }

  @FieldResolver(() => BottleneckFinding, {
    nullable: true,
    description: 'What keeps it from being faster, if anything does.',
  })
  bottleneck(
    @Root() agent: MeasuredAgent,
    @Arg('range', () => TimeRange, {
      nullable: true,
      description: 'Work that began in this stretch; nothing means the last five minutes.',
    })
    range: TimeRange | null | undefined,
    @Ctx() { loaders, nowMs }: MetricsContext,
  ): Promise<BottleneckFinding> {
    return loaders.bottlenecks.load({ agentId: agent.id, stretch: usageStretch(range, nowMs, 'PT5M') });
  }
}
