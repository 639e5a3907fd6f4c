import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { Page } from '../../../lib/page.ts';
import { LogConnection, LogEntry, LogScan } from '../entity/index.ts';
import type { LogPage } from '../service/index.ts';
import type { LogContext } from './context.ts';

const FIRST = { nullable: true, defaultValue: 10, description: 'How many, those next to it; 1 to 100.' };

/** What stands beside an entry in its stream: its agent's, or its service's where no agent wrote it. */
@Resolver(() => LogEntry)
export class BesideResolver {
  @FieldResolver(() => LogConnection, {
    nullable: true,
    description: 'What the same agent, or the same service where there is none, logged before it, newest first.',
  })
  before(
    @Root() entry: LogEntry,
    @Arg('first', () => Int, FIRST) first: number,
    @Ctx() { service }: LogContext,
  ): Promise<Page<LogEntry>> {
    return service.beside(entry, 'before', first);
  }

  @FieldResolver(() => LogConnection, {
    nullable: true,
    description: 'What the same agent, or the same service where there is none, logged after it, newest first.',
  })
  after(
    @Root() entry: LogEntry,
    @Arg('first', () => Int, FIRST) first: number,
    @Ctx() { service }: LogContext,
  ): Promise<Page<LogEntry>> {
    return service.beside(entry, 'after', first);
  }
}

/** Adds to a page of entries what was read for it. */
@Resolver(() => LogConnection)
export class ScanResolver {
  @FieldResolver(() => LogScan, { nullable: true, description: 'What was read for this page.' })
  scan(@Root() page: LogPage): LogScan {
    return page.scan;
  }
}
