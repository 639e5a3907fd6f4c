import { Field, Float, InputType, Int } from 'type-graphql';
import { HealthFactor } from '../entity/health-model.ts';

@InputType({ description: 'What one factor can take from a score.' })
export class HealthWeightInput {
  @Field(() => HealthFactor, { description: 'What is weighed.' })
  factor!: HealthFactor;

  @Field(() => Int, { description: 'The most it takes, 0 to 100; 0 turns it off.' })
  points!: number;

  @Field(() => Float, { nullable: true, defaultValue: 0, description: 'Up to this value it takes nothing.' })
  from!: number;

  @Field(() => Float, { nullable: true, defaultValue: 1, description: 'From this value on it takes all its points.' })
  to!: number;
}

@InputType({ description: 'How health is to be computed.' })
export class HealthModelInput {
  @Field(() => [HealthWeightInput], { description: 'What differs from the built-in weights.' })
  weights!: HealthWeightInput[];

  @Field(() => String, { nullable: true, description: 'Why, for the audit trail.' })
  reason?: string | null;

  @Field(() => Int, { nullable: true, description: 'Refused with CONFLICT when it has another version.' })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would change.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}
