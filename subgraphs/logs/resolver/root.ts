import { Arg, Args, ArgsType, Ctx, Field, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { LogFilter, LogGroup } from '../../../lib/graphql/log-filter.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { Page } from '../../../lib/page.ts';
import { batchIdOf } from '../../../lib/write/batch.ts';
import {
  IngestLogsInput,
  IngestLogsPayload,
  LogBucket,
  LogConnection,
  LogEntry,
  LogIntake,
  LogTail,
} from '../entity/index.ts';
import type { LogContext } from './context.ts';

@ArgsType()
export class LogsArgs {
  @Field(() => Int, { nullable: true, description: 'How many from the start; 1 to 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Behind this cursor.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: 'How many from the end; 1 to 100.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Before this cursor.' })
  before?: string | null;

  @Field(() => LogFilter, { nullable: true, description: 'Which entries; all when absent.' })
  filter?: LogFilter | null;
}

@ArgsType()
export class HistogramArgs {
  @Field(() => LogFilter, { nullable: true, description: 'Which entries; all when absent.' })
  filter?: LogFilter | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'Length of a bucket; widened where it would make more than `maxBuckets`.',
  })
  step?: string | null;

  @Field(() => Int, { nullable: true, defaultValue: 60, description: 'How many buckets at most; 1 to 1,000.' })
  maxBuckets!: number;

  @Field(() => LogGroup, { nullable: true, description: 'Counts each group by itself.' })
  groupBy?: LogGroup | null;
}

@ArgsType()
class TailArgs {
  @Field(() => LogFilter, { nullable: true, description: 'Which entries; all when absent.' })
  filter?: LogFilter | null;

  @Field(() => String, { nullable: true, description: 'Goes on behind this cursor; from now when absent.' })
  after?: string | null;
}

@Resolver()
export class LogsResolver {
  @Query(() => LogEntry, { nullable: true, description: 'A log entry by its id; null when there is none.' })
  logEntry(
    @Arg('id', () => ID, { description: 'Its global id.' }) id: string,
    @Ctx() { loaders }: LogContext,
  ): Promise<LogEntry | null> {
    return loaders.entry.load(uuidOf('LogEntry', id));
  }

  @Query(() => LogConnection, { nullable: true, description: 'Log entries, newest first.' })
  logs(@Args(() => LogsArgs) args: LogsArgs, @Ctx() { service }: LogContext): Promise<Page<LogEntry>> {
    return service.logs(args);
  }

  @Query(() => [LogBucket], { nullable: true, description: 'How many entries there are over time.' })
  logHistogram(@Args(() => HistogramArgs) args: HistogramArgs, @Ctx() { service }: LogContext): Promise<LogBucket[]> {
    return service.histogram(args);
  }

  @Query(() => LogIntake, {
    nullable: true,
    description: 'Whether logs are taken in at this moment, and what bounds them.',
  })
  logIntake(@Ctx() { service }: LogContext): LogIntake {
    return service.ingest.intake();
  }

  @Mutation(() => IngestLogsPayload, {
    nullable: true,
    description: 'Stores log lines; answered once they survive a crash. OTLP/HTTP at /v1/logs does the same.',
  })
  ingestLogs(
    @Arg('input', () => IngestLogsInput, { description: 'The lines.' }) input: IngestLogsInput,
    @Ctx() { service, call }: LogContext,
  ): Promise<IngestLogsPayload> {
    return service.ingest.input({ ...input, batchId: batchIdOf(input, call) ?? null }, call.principal);
  }

  @Subscription(() => LogTail, {
    nullable: true,
    description: 'New log entries as they become durable; `after` resumes without a hole.',
    subscribe: ({ args, context }) => {
      const { service, call } = context as unknown as LogContext;
      const { filter, after } = args as TailArgs;
      return service.follow(filter, call.lastEventId ?? after) as never;
    },
  })
  logTail(@Root() tail: LogTail, @Args(() => TailArgs) _args: TailArgs): LogTail {
    return tail;
  }
}
