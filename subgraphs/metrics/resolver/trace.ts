import { Arg, Args, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import type { Page } from '../../../lib/page.ts';
import { MeasuredAgent } from '../entity/agent.ts';
import { Span, Trace, TraceConnection, TraceFilter, type TraceSummary } from '../entity/trace.ts';
import { traceIdOf } from '../service/traces.ts';
import type { MetricsContext } from './context.ts';
import { ForwardArgs } from './metric.ts';

@Resolver(() => Trace)
export class TraceResolver {
  @Query(() => Trace, { nullable: true, description: 'One trace; null when no span of it is kept.' })
  async trace(
    @Arg('traceId', { description: '32 hexadecimal digits.' }) traceId: string,
    @Ctx() { loaders }: MetricsContext,
  ): Promise<Trace | null> {
    const id = traceIdOf(traceId);
    const summary = await loaders.summaries.load(id);
    return summary && Trace.of(id, summary);
  }

  @Query(() => TraceConnection, { nullable: true, description: 'Traces, newest first.' })
  traces(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('filter', () => TraceFilter, { nullable: true, description: 'Which; nothing means all.' })
    filter: TraceFilter | null | undefined,
    @Ctx() { traces }: MetricsContext,
  ): Promise<Page<Trace>> {
    return traces.list(args, filter);
  }

  @FieldResolver(() => Span, { nullable: true, description: 'The span that began it; null while that is not here.' })
  async root(@Root() trace: Trace, @Ctx() { loaders }: MetricsContext): Promise<Span | null> {
    const spans = await loaders.spans.load(trace.traceId);
    return spans.find((span) => span.parentSpanId === null) ?? null;
  }

  @FieldResolver(() => [Span], { description: 'Its spans in the order they began; at most 10,000.' })
  spans(@Root() trace: Trace, @Ctx() { loaders }: MetricsContext): Promise<Span[]> {
    return loaders.spans.load(trace.traceId);
  }

  @FieldResolver(() => [String], { description: 'The services that took part.' })
  async services(@Root() trace: Trace, @Ctx() context: MetricsContext): Promise<string[]> {
    return (await summaryOf(trace, context))?.services ?? [];
  }

  @FieldResolver(() => Int, { description: 'How many of its spans failed.' })
  async errors(@Root() trace: Trace, @Ctx() context: MetricsContext): Promise<number> {
    return (await summaryOf(trace, context))?.errors ?? 0;
  }

  @FieldResolver(() => SCALARS.DateTime, {
    nullable: true,
    description: 'When its first span began, to the nanosecond.',
  })
  async startedAt(@Root() trace: Trace, @Ctx() context: MetricsContext): Promise<string | null> {
    return (await summaryOf(trace, context))?.startedAt ?? null;
  }

  @FieldResolver(() => Float, {
    nullable: true,
    description: 'From the begin of its first span to the end of its last, milliseconds.',
  })
  async durationMs(@Root() trace: Trace, @Ctx() context: MetricsContext): Promise<number | null> {
    return (await summaryOf(trace, context))?.durationMs ?? null;
  }
}

async function summaryOf(trace: Trace, { loaders }: MetricsContext): Promise<TraceSummary | null> {
  return trace.summary ?? (await loaders.summaries.load(trace.traceId));
}

@Resolver(() => Span)
export class SpanResolver {
  @FieldResolver(() => MeasuredAgent, { nullable: true, description: 'The agent that did it.' })
  agent(@Root() { agentId }: Span): MeasuredAgent | null {
    return agentId ? MeasuredAgent.of(agentId) : null;
  }
}
