import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import {
  AuditEntry,
  AuditRetention,
  AuditRetentionInput,
  AuditRetentionPayload,
  AuditSink,
  AuditSinkInput,
  AuditSinkPayload,
  DeletedPayload,
} from '../entity/index.ts';
import type { AuditContext } from './context.ts';

const RECEIPT = { nullable: true, description: 'Its entry in the audit trail.' };

/** Where the trail goes and how long its bytes are kept. */
@Resolver(() => AuditSink)
export class AuditSinkResolver {
  @Query(() => [AuditSink], {
    nullable: true,
    description: 'What is given the trail as it grows: what the settings name, then what was applied.',
  })
  auditSinks(@Ctx() { sinks }: AuditContext): Promise<AuditSink[]> {
    return sinks.sinks();
  }

  @FieldResolver(() => SCALARS.SafeInt, {
    nullable: true,
    description: 'Entries that it has taken, from the first on; null of a dry run.',
  })
  async taken(@Root() { position }: AuditSink, @Ctx() { progress }: AuditContext): Promise<number | null> {
    return position === undefined ? null : await progress.position(position);
  }

  @Query(() => AuditRetention, { nullable: true, description: 'How long the bytes of audit entries are kept.' })
  async auditRetention(@Ctx() { trail }: AuditContext): Promise<AuditRetention> {
    return Object.assign(new AuditRetention(), await trail.retention());
  }

  @Mutation(() => AuditSinkPayload, {
    nullable: true,
    description: 'Makes or changes a sink of the trail, by name. A new one is given the trail from its first entry.',
  })
  async applyAuditSink(
    @Arg('input', () => AuditSinkInput, { description: 'The sink as it is to be.' }) input: AuditSinkInput,
    @Ctx() { trail, sinks, call }: AuditContext,
  ): Promise<AuditSinkPayload> {
    const { result, userErrors, auditEntry } = await trail.applySink(call, input);
    const stored = result && (result.preview ?? (await sinks.sinks()).find(({ name }) => name === result.name));
    const sink = stored ? Object.assign(new AuditSink(), stored) : null;
    return Object.assign(new AuditSinkPayload(), {
      ...{ sink, changes: result?.changes ?? [] },
      ...{ userErrors, entryUuid: auditEntry },
    });
  }

  @Mutation(() => DeletedPayload, {
    nullable: true,
    description: 'Deletes a sink that was applied. Retention waits for it no longer.',
  })
  async deleteAuditSink(
    @Arg('input', () => DeleteByNameInput, { description: 'Which one.' }) input: DeleteByNameInput,
    @Ctx() { trail, call }: AuditContext,
  ): Promise<DeletedPayload> {
    const { result, userErrors, auditEntry } = await trail.deleteSink(call, input);
    const name = result?.name ?? null;
    return Object.assign(new DeletedPayload(), { name, userErrors, entryUuid: auditEntry });
  }

  @Mutation(() => AuditRetentionPayload, {
    nullable: true,
    description: 'Says how long the bytes of audit entries are kept. What a sweep took is gone for good.',
  })
  async applyAuditRetention(
    @Arg('input', () => AuditRetentionInput, { description: 'The retention as it is to be.' })
    input: AuditRetentionInput,
    @Ctx() { trail, call }: AuditContext,
  ): Promise<AuditRetentionPayload> {
    const { result, userErrors, auditEntry } = await trail.applyRetention(call, input);
    const { changes = [], ...stored } = result ?? {};
    const retention = result ? Object.assign(new AuditRetention(), stored) : null;
    return Object.assign(new AuditRetentionPayload(), { retention, changes, userErrors, entryUuid: auditEntry });
  }
}

/** In this house the receipt is a node of its own: it is waited for as any entry that was just made. */
@Resolver(() => AuditSinkPayload)
export class AuditSinkPayloadResolver {
  @FieldResolver(() => AuditEntry, RECEIPT)
  auditEntry(@Root() { entryUuid }: AuditSinkPayload, @Ctx() { loaders }: AuditContext): Promise<AuditEntry | null> {
    return loaders.entry.load(entryUuid);
  }
}

@Resolver(() => AuditRetentionPayload)
export class AuditRetentionPayloadResolver {
  @FieldResolver(() => AuditEntry, RECEIPT)
  auditEntry(
    @Root() { entryUuid }: AuditRetentionPayload,
    @Ctx() { loaders }: AuditContext,
  ): Promise<AuditEntry | null> {
    return loaders.entry.load(entryUuid);
  }
}

@Resolver(() => DeletedPayload)
export class AuditDeletedResolver {
  @FieldResolver(() => AuditEntry, RECEIPT)
  auditEntry(@Root() { entryUuid }: DeletedPayload, @Ctx() { loaders }: AuditContext): Promise<AuditEntry | null> {
    return loaders.entry.load(entryUuid);
  }
}
