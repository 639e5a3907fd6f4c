import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { LogMetric, LogMetricInput, LogMetricPayload, LogMetricProgress } from '../entity/index.ts';
import type { LogContext } from './context.ts';

@Resolver(() => LogMetric)
export class LogMetricResolver {
  @Query(() => [LogMetric], { nullable: true, description: 'Metrics that are made of log entries, by name.' })
  logMetrics(@Ctx() { metrics }: LogContext): Promise<LogMetric[]> {
    return metrics.all();
  }

  @FieldResolver(() => LogMetricProgress, {
    nullable: true,
    description: 'How far it is; null for one that is not there, as after a dry run.',
  })
  progress(@Root() { name }: LogMetric, @Ctx() { loaders }: LogContext): Promise<LogMetricProgress | null> {
    return loaders.metricProgress.load(name);
  }

  @Mutation(() => LogMetricPayload, {
    nullable: true,
    description: 'Makes or changes a metric of log entries, by name. It counts what is stored from then on.',
  })
  applyLogMetric(
    @Arg('input', () => LogMetricInput, { description: 'The metric as it is to be.' }) input: LogMetricInput,
    @Ctx() { metrics, call }: LogContext,
  ): Promise<LogMetricPayload> {
    return metrics.apply(input, call);
  }

  @Mutation(() => DeletedPayload, {
    nullable: true,
    description: 'Deletes a metric of log entries; the samples that it made stay as long as others.',
  })
  deleteLogMetric(
    @Arg('input', () => DeleteByNameInput, { description: 'Which metric, by its name.' }) input: DeleteByNameInput,
    @Ctx() { metrics, call }: LogContext,
  ): Promise<DeletedPayload> {
    return metrics.delete(input, call);
  }
}
