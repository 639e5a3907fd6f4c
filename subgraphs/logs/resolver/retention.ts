import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { RetentionPolicy, RetentionPolicyInput, RetentionPolicyPayload } from '../entity/index.ts';
import type { LogContext } from './context.ts';

@Resolver()
export class RetentionResolver {
  @Query(() => [RetentionPolicy], { nullable: true, description: 'How long logs are kept, by name.' })
  retentionPolicies(@Ctx() { service }: LogContext): Promise<RetentionPolicy[]> {
    return service.retention.all();
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
}
