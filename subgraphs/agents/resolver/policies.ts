import { Arg, Ctx, Field, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { DeleteByNameInput, JsonPatchOp, UserError } from '../../../lib/graphql/shared.ts';
import { RecoveryPolicy } from '../entity/recovery.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { RecoveryPolicyInput } from './policy-inputs.ts';

@ObjectType({ description: 'What became of a recovery policy that was applied.' })
export class RecoveryPolicyPayload {
  @Field(() => RecoveryPolicy, {
    nullable: true,
    description: 'The policy now, or as it would be after a dry run; null when it was refused.',
  })
  policy!: RecoveryPolicy | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@Resolver()
export class PolicyResolver {
  @Query(() => [RecoveryPolicy], {
    nullable: true,
    description: 'How agents are brought back; of those that match an agent the first holds.',
  })
  recoveryPolicies(@Ctx() { services }: AgentsContext): Promise<readonly RecoveryPolicy[]> {
    return services.policies.list();
  }

  @Mutation(() => RecoveryPolicyPayload, {
    nullable: true,
    description: 'Makes the recovery policy of this name what the input says.',
  })
  async applyRecoveryPolicy(
    @Arg('input', { description: 'The whole policy.' }) input: RecoveryPolicyInput,
    @Ctx() { services, call }: AgentsContext,
  ): Promise<RecoveryPolicyPayload> {
    const outcome = await services.policies.apply(call, input);
    const { preview, name } = outcome.result ?? {};
    const policy = preview
      ? Object.assign(new RecoveryPolicy(), preview)
      : name === undefined
        ? null
        : await services.policies.find(name);
    return { policy, changes: outcome.result?.changes ?? [], ...receiptOf(outcome) };
  }

  @Mutation(() => DeletedPayload, {
    nullable: true,
    description:
      'Deletes a recovery policy; the others are for its agents then. A deleted `default` is the built-in one.',
  })
  async deleteRecoveryPolicy(
    @Arg('input', { description: 'Which policy.' }) input: DeleteByNameInput,
    @Ctx() { services, call }: AgentsContext,
  ): Promise<DeletedPayload> {
    const outcome = await services.policies.delete(call, input);
    return { name: outcome.result?.name ?? null, ...receiptOf(outcome) };
  }
}
