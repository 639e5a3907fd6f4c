import { Arg, Args, Ctx, ID, Query, Resolver, Root, Subscription } from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { ChangeKind } from '../../../lib/graphql/shared.ts';
import { readNodeId } from '../../../lib/node-id.ts';
import type { Page } from '../../../lib/page.ts';
import {
  AuditAppended,
  AuditCheckpoint,
  AuditEntriesArgs,
  AuditEntry,
  AuditEntryConnection,
  AuditFilter,
} from '../entity/index.ts';
import { noteAsked } from './asking.ts';
import type { AuditContext } from './context.ts';

interface AppendedArgs {
  filter?: AuditFilter | null;
  after?: string | null;
}

@Resolver()
export class AuditResolver {
  @Query(() => AuditEntry, {
    nullable: true,
    description: 'One audit entry; waits up to 2 s for one that was just made.',
  })
  async auditEntry(
    @Arg('id', () => ID, { description: 'Global id of the entry.' }) id: string,
    @Ctx() { call, loaders, readings }: AuditContext,
  ): Promise<AuditEntry | null> {
    readings.note(call, 'auditEntry');
    const read = readNodeId(id);
    return read?.type === 'AuditEntry' ? loaders.entry.load(read.uuid) : null;
  }

  @Query(() => AuditEntryConnection, { nullable: true, description: 'What was changed or attempted, newest first.' })
  auditEntries(
    @Args(() => AuditEntriesArgs) args: AuditEntriesArgs,
    @Ctx() context: AuditContext,
  ): Promise<Page<AuditEntry>> {
    noteAsked(context, 'auditEntries', args.filter);
    return context.service.page(args);
  }

  @Query(() => AuditCheckpoint, { nullable: true, description: 'The newest signed state of the audit log.' })
  async auditCheckpoint(@Ctx() { log }: AuditContext): Promise<AuditCheckpoint | null> {
    return (await log.checkpoint()) ?? null;
  }

  @Query(() => [String], {
    nullable: true,
    description:
      'Shows that the log of one size is the beginning of it at a larger one: hashes, base64 (RFC 6962). Fold them with the roots of two checkpoints.',
  })
  auditConsistency(
    @Arg('from', () => String, { description: 'The smaller size, 1 or more; a decimal number.' }) from: string,
    @Arg('to', () => String, { description: 'The larger size, at most the newest checkpoint’s; a decimal number.' })
    to: string,
    @Ctx() { log }: AuditContext,
  ): Promise<string[]> {
    return log.consistency(from, to);
  }

  @Subscription(() => AuditAppended, {
    nullable: true,
    description: 'Entries as they are added to the log, each once and in its order.',
    subscribe: ({ args, context }: { args: AppendedArgs; context: AuditContext }) => {
      noteAsked(context, 'auditEntryAppended', args.filter);
      return context.service.appended(args.filter, context.call.lastEventId ?? args.after);
    },
  })
  async auditEntryAppended(
    @Root() change: StreamedChange,
    @Ctx() { loaders }: AuditContext,
    @Arg('filter', () => AuditFilter, { nullable: true, description: 'Which entries.' }) _filter?: AuditFilter | null,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this cursor; nothing means from now.' })
    _after?: string | null,
  ): Promise<AuditAppended> {
    const { cursor, occurredAt } = change;
    const node = (await loaders.entry.load(change.entityId)) as AuditEntry;
    return Object.assign(new AuditAppended(), { cursor, occurredAt, kind: ChangeKind.CREATED, node });
  }
}
