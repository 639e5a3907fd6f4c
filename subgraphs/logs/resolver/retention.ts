import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { RetentionPolicy, RetentionPolicyInput, RetentionPolicyPayload, RetentionRemoval } from '../entity/index.ts';
import type { LogContext } from './context.ts';

@Resolver()
export class RetentionResolver {
  @Query(() => [RetentionPolicy], { nullable: true, description: 'How long logs are kept, by name.' })
  retentionPolicies(@Ctx() { service }: LogContext): Promise<RetentionPolicy[]> {
    return service.retention.all();
  }

  @Query(() => [RetentionRemoval], {
    nullable: true,
    description: 'What a sweep at this moment would remove; nothing is.',
  })
  retentionPreview(
    @Arg('without', () => [String], { nullable: true, description: 'As if the policies of these names were deleted.' })
    without: string[] | null,
    @Ctx() { service }: LogContext,
  ): Promise<RetentionRemoval[]> {
    return service.retention.preview(null, without ?? []);
  }

  @Mutation(() => RetentionPolicyPayload, {
    nullable: true,
    description: 'Makes or changes a retention policy, by name.',
  })
  applyRetentionPolicy(
    @Arg('input', () => RetentionPolicyInput, { description: 'The policy as it is to be.' })
    input: RetentionPolicyInput,
    @Ctx() { service, call }: LogContext,
  ): Promise<RetentionPolicyPayload> {
    return service.retention.apply(input, call);
  }

  @Mutation(() => DeletedPayload, {
    nullable: true,
    description: 'Deletes a retention policy: the others govern its entries; `default` is the setting again.',
  })
  deleteRetentionPolicy(
    @Arg('input', () => DeleteByNameInput, { description: 'Which policy.' }) input: DeleteByNameInput,
    @Ctx() { service, call }: LogContext,
  ): Promise<DeletedPayload> {
    return service.retention.delete(input, call);
  }
}

const OF_NONE = 'null for a policy that there is not yet.';

@Resolver(() => RetentionPolicy)
export class RetentionPolicyResolver {
  @FieldResolver(() => SCALARS.SafeInt, { nullable: true, description: `How many entries it governs; ${OF_NONE}` })
  async entryCount(@Root() { name }: RetentionPolicy, @Ctx() { loaders }: LogContext): Promise<number | null> {
    return (await loaders.policyUsage.load(name))?.entryCount ?? null;
  }

  @FieldResolver(() => SCALARS.SafeInt, {
    nullable: true,
    description: `What they weigh, bytes before compression; ${OF_NONE}`,
  })
  async sizeBytes(@Root() { name }: RetentionPolicy, @Ctx() { loaders }: LogContext): Promise<number | null> {
    return (await loaders.policyUsage.load(name))?.sizeBytes ?? null;
  }

  @FieldResolver(() => Date, { nullable: true, description: 'When the oldest of them was observed.' })
  async oldestAt(@Root() { name }: RetentionPolicy, @Ctx() { loaders }: LogContext): Promise<Date | null> {
    return (await loaders.policyUsage.load(name))?.oldestAt ?? null;
  }
}

@Resolver(() => RetentionPolicyPayload)
export class RetentionPayloadResolver {
  @FieldResolver(() => [RetentionRemoval], {
    nullable: true,
    description: 'What a sweep at this moment would remove with this policy; null when it was refused.',
  })
  async nextSweep(
    @Root() { policy }: RetentionPolicyPayload,
    @Ctx() { service }: LogContext,
  ): Promise<RetentionRemoval[] | null> {
    return policy && (await service.retention.preview(policy));
  }
}
