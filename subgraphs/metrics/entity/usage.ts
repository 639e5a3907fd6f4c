import { Field, Float, ObjectType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';

@ObjectType({ description: 'What an agent spent on one model.' })
export class ModelUsage {
  @Field({ description: 'The model that was asked for.' })
  model!: string;

  @Field(() => SCALARS.SafeInt, { description: 'Tokens it read.' })
  inputTokens!: number;

  @Field(() => SCALARS.SafeInt, { description: 'Tokens it wrote.' })
  outputTokens!: number;

  @Field(() => Float, { description: 'US dollars by the price list in the settings; 0 for a model without a price.' })
  cost!: number;
}

@ObjectType({ description: 'What an agent did and spent, from its spans (OpenTelemetry gen_ai conventions).' })
export class AgentUsage {
  @Field(() => SCALARS.SafeInt, {
    description:
      'Tasks: its spans that began a trace, took work from a queue (CONSUMER), or have `task` in their name.',
  })
  tasks!: number;

  @Field(() => SCALARS.SafeInt, { description: 'Tokens its models read.' })
  inputTokens!: number;

  @Field(() => SCALARS.SafeInt, { description: 'Tokens its models wrote.' })
  outputTokens!: number;

  @Field(() => Float, { description: 'US dollars by the price list in the settings.' })
  cost!: number;

  @Field(() => [ModelUsage], { description: 'The same by model, dearest first.' })
  byModel!: ModelUsage[];
}
