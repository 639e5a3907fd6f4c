import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { asFleetError } from '../../../lib/errors.ts';
import { SeriesQuery } from '../../../lib/graphql/series-query.ts';
import { UserError } from '../../../lib/graphql/shared.ts';
import type { Page } from '../../../lib/page.ts';
import { batchIdOf } from '../../../lib/write/batch.ts';
import { Metric, MetricConnection } from '../entity/metric.ts';
import { RecordSamplesInput, RecordSamplesPayload } from '../entity/samples.ts';
import { Point, Series, SeriesResult } from '../entity/series.ts';
import type { MetricsContext } from './context.ts';

@ArgsType()
export class ForwardArgs {
  @Field(() => Int, { nullable: true, description: 'How many, 1–100; nothing means 50.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Goes on behind this cursor.' })
  after?: string | null;
}

@Resolver(() => Metric)
export class MetricResolver {
  @Query(() => MetricConnection, { nullable: true, description: 'What is measured, by name.' })
  metrics(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('match', () => String, {
      nullable: true,
      description: 'Part of the name, in any case; with `*` the whole name, where `*` stands for any text.',
    })
    match: string | null | undefined,
    @Ctx() { measures }: MetricsContext,
  ): Promise<Page<Metric>> {
    return measures.list(args, match);
  }

  @Query(() => SeriesResult, { nullable: true, description: 'Values along a stretch of time.' })
  series(
    @Arg('query', () => SeriesQuery, { description: 'Which series, and what is made of them.' }) query: SeriesQuery,
    @Ctx() { measures }: MetricsContext,
  ): Promise<SeriesResult> {
    return measures.read(query);
  }

  @Mutation(() => RecordSamplesPayload, {
    nullable: true,
    description: 'Stores samples; answers once they are durable. An agent’s own get its id as the label `agent_id`.',
  })
  async recordSamples(
    @Arg('input', () => RecordSamplesInput, { description: 'The samples.' }) input: RecordSamplesInput,
    @Ctx() { intake, call }: MetricsContext,
  ): Promise<RecordSamplesPayload> {
    try {
      const batch = { ...input, batchId: batchIdOf(input, call) ?? null };
      return { ...(await intake.record(batch, call.principal)), userErrors: [] };
    } catch (error) {
      return { accepted: 0, rejected: [], userErrors: [userErrorOf(error)] };
    }
  }

  @FieldResolver(() => Date, { nullable: true, description: 'Time of its newest sample.' })
  lastSampleAt(@Root() metric: Metric, @Ctx() { loaders }: MetricsContext): Promise<Date | null> {
    return loaders.newestSamples.load(metric.name);
  }
}

/** @throws the error itself when the caller cannot mend it by another input */
function userErrorOf(error: unknown): UserError {
  const known = asFleetError(error);
  if (known?.code !== 'BAD_INPUT') throw error;
  const field = (known.extensions['field'] as string[] | undefined) ?? null;
  return Object.assign(new UserError(), { code: known.code, message: known.message, field });
}

@Resolver(() => Series)
export class SeriesResolver {
  @FieldResolver(() => String, { nullable: true, description: 'The value of one label; null without it.' })
  label(@Root() series: Series, @Arg('name', { description: 'The label’s name.' }) name: string): string | null {
    return series.labels[name] ?? null;
  }

  @FieldResolver(() => [Point], { description: 'Times and values together.' })
  points(@Root() { times, values }: Series): Point[] {
    return times.map((time, at) => Object.assign(new Point(), { time: new Date(time), value: values[at] ?? null }));
  }
}
