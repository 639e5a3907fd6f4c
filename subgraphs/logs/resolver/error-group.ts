import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { LogFilter, LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { ChangeKind } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { Page } from '../../../lib/page.ts';
import {
  ErrorGroup,
  ErrorGroupChange,
  ErrorGroupConnection,
  ErrorGroupFilter,
  ErrorGroupPayload,
  ErrorGroupState,
  LogEntry,
  ReopenErrorGroupInput,
  ResolveErrorGroupInput,
} from '../entity/index.ts';
import { type ErrorSnapshot, revive } from '../service/error-snapshot.ts';
import type { LogContext } from './context.ts';

@ArgsType()
class ErrorGroupsArgs {
  @Field(() => Int, { nullable: true, description: 'How many; 1 to 100.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Behind this cursor.' })
  after?: string | null;

  @Field(() => LogFilter, { nullable: true, description: 'Which entries are grouped; all errors when absent.' })
  filter?: LogFilter | null;

  @Field(() => [ErrorGroupState], { nullable: true, description: 'Groups in any of these states; all when absent.' })
  states?: ErrorGroupState[] | null;
}

const INPUT = { description: 'What to do.' };

@Resolver(() => ErrorGroup)
export class ErrorGroupResolver {
  @Query(() => ErrorGroup, { nullable: true, description: 'A group of errors by its id; null when there is none.' })
  errorGroup(
    @Arg('id', () => ID, { description: 'Its global id.' }) id: string,
    @Ctx() { loaders }: LogContext,
  ): Promise<ErrorGroup | null> {
    return loaders.errorGroup.load(uuidOf('ErrorGroup', id));
  }

  @Query(() => ErrorGroupConnection, {
    nullable: true,
    description: 'What fails: entries of severity ERROR and FATAL in groups, the one that failed last first.',
  })
  errorGroups(
    @Args(() => ErrorGroupsArgs) args: ErrorGroupsArgs,
    @Ctx() { errors }: LogContext,
  ): Promise<Page<ErrorGroup>> {
    return errors.groups.page(args);
  }

  @Mutation(() => ErrorGroupPayload, {
    nullable: true,
    description: 'Says that an error is mended; it becomes REGRESSED when it comes again.',
  })
  resolveErrorGroup(
    @Arg('input', () => ResolveErrorGroupInput, INPUT) input: ResolveErrorGroupInput,
    @Ctx() { errors, call }: LogContext,
  ): Promise<ErrorGroupPayload> {
    return errors.resolutions.resolve(input, call);
  }

  @Mutation(() => ErrorGroupPayload, { nullable: true, description: 'Says that an error is not mended after all.' })
  reopenErrorGroup(
    @Arg('input', () => ReopenErrorGroupInput, INPUT) input: ReopenErrorGroupInput,
    @Ctx() { errors, call }: LogContext,
  ): Promise<ErrorGroupPayload> {
    return errors.resolutions.reopen(input, call);
  }

  @FieldResolver(() => LogEntry, { nullable: true, description: 'The newest entry of the group.' })
  sample(@Root() group: ErrorGroup, @Ctx() { loaders }: LogContext): Promise<LogEntry | null> {
    return loaders.entry.load(group.newest);
  }
}

@ArgsType()
class ErrorGroupChangesArgs {
  @Field(() => ErrorGroupFilter, { nullable: true, description: 'Which groups; all when absent.' })
  filter?: ErrorGroupFilter | null;

  @Field(() => [ErrorGroupState], { nullable: true, description: 'Groups in any of these states; all when absent.' })
  states?: ErrorGroupState[] | null;

  @Field(() => String, { nullable: true, description: 'Resumes behind this cursor; from now without it.' })
  after?: string | null;
}

@Resolver()
export class ErrorGroupChangeResolver {
  @Subscription(() => ErrorGroupChange, {
    nullable: true,
    description:
      'Groups of errors that are new, were counted on, came again, or are said to be mended or not: at most one change of a group each second, and its counts are of all entries.',
    subscribe: ({ args, context }) => {
      const { filter, states, after } = args as ErrorGroupChangesArgs;
      const { errors, call } = context as unknown as LogContext;
      return errors.watch.follow(filter ?? {}, states, call.lastEventId ?? after);
    },
  })
  errorGroupChanged(
    @Root() { cursor, occurredAt, kind, node, previous }: StreamedChange,
    @Args(() => ErrorGroupChangesArgs) _args: ErrorGroupChangesArgs,
  ): ErrorGroupChange {
    const before = previous as unknown as ErrorSnapshot | null;
    return Object.assign(new ErrorGroupChange(), {
      cursor,
      occurredAt,
      kind: ChangeKind[kind],
      node: revive(node as unknown as ErrorSnapshot),
      previous: before?.state ?? null,
    });
  }
}

/** Adds the group that it is part of to an entry. */
@Resolver(() => LogEntry)
export class LogEntryErrorResolver {
  @FieldResolver(() => ErrorGroup, {
    nullable: true,
    description: 'The group of errors that it is part of; null for severities below ERROR.',
  })
  errorGroup(@Root() { id, severity }: LogEntry, @Ctx() { loaders }: LogContext): Promise<ErrorGroup | null> | null {
    if (severity !== LogSeverity.ERROR && severity !== LogSeverity.FATAL) return null;
    return loaders.errorGroupOfEntry.load(uuidOf('LogEntry', id));
  }
}
