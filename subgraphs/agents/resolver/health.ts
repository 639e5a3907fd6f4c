import { Arg, Ctx, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { JsonPatchOp, TimeRange, UserError } from '../../../lib/graphql/shared.ts';
import { Agent } from '../entity/agent.ts';
import { HealthModel } from '../entity/health-model.ts';
import { HealthTrial } from '../entity/health-trial.ts';
import { mayRead } from '../service/access.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { HealthModelInput, HealthWeightInput } from './health-inputs.ts';

@ObjectType({ description: 'What became of a health model that was applied.' })
export class HealthModelPayload {
  @Field(() => HealthModel, {
    nullable: true,
    description: 'The model now, or as it would be after a dry run; null when it was refused.',
  })
  model!: HealthModel | null;

  @Field(() => [JsonPatchOp], { description: 'What changed, or would.' })
  changes!: JsonPatchOp[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@Resolver(() => Agent)
export class HealthResolver {
  @Query(() => HealthModel, { nullable: true, description: 'How health scores are computed now.' })
  healthModel(@Ctx() { services }: AgentsContext): Promise<HealthModel> {
    return services.healthModels.current();
  }

  @Query(() => HealthTrial, {
    nullable: true,
    description: 'How the kept minutes would have been graded by other weights; nothing changes.',
  })
  async tryHealthModel(
    @Ctx() { services, agents }: AgentsContext,
    @Arg('weights', () => [HealthWeightInput], { description: 'What differs from the built-in weights.' })
    weights: HealthWeightInput[],
    @Arg('range', () => TimeRange, { nullable: true, description: 'Which minutes; a day without it.' })
    range?: TimeRange | null,
  ): Promise<HealthTrial> {
    const trial = await services.healthModels.try(weights, range);
    const known = await agents.byUuid.loadMany(trial.agents.map(({ uuid }) => uuid));
    return { ...trial, agents: trial.agents.map((each, at) => ({ ...each, agent: known[at] as Agent | null })) };
  }

  @Mutation(() => HealthModelPayload, {
    nullable: true,
    description: 'Makes the weights of health what the input says; what it leaves out is as it is built in.',
  })
  async applyHealthModel(
    @Arg('input', { description: 'The weights.' }) input: HealthModelInput,
    @Ctx() { services, call }: AgentsContext,
  ): Promise<HealthModelPayload> {
    const outcome = await services.healthModels.apply(call, input);
    const { result } = outcome;
    const preview = result?.preview && Object.assign(new HealthModel(), result.preview);
    const model = preview ?? (result ? await services.healthModels.current() : null);
    return { model, changes: result?.changes ?? [], ...receiptOf(outcome) };
  }

  @FieldResolver(() => Agent, {
    nullable: true,
    description: 'The agent that its trouble comes from, when that is another that it depends on.',
  })
  async rootCause(@Root() agent: Agent, @Ctx() { call, agents }: AgentsContext): Promise<Agent | null> {
    const about = agent.healthPenalties.find((penalty) => penalty.about !== undefined)?.about;
    const cause = about === undefined ? null : await agents.byUuid.load(about);
    return cause && mayRead(call.principal, cause) ? cause : null;
  }
}
