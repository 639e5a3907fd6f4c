import { Field, Float, ID, InputType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { LabelMatcher } from '../../../lib/graphql/shared.ts';

const KEY = 'Idempotency key: a repeat returns the first outcome.';

@InputType({ description: 'A version of a kind of agents on its way into the fleet.' })
export class StartRolloutInput {
  @Field({ description: 'The kind of agents.' })
  kind!: string;

  @Field({ description: 'The version they get: a published one.' })
  version!: string;

  @Field(() => [LabelMatcher], {
    nullable: true,
    description: 'Only agents with such labels; all of the kind otherwise.',
  })
  labels?: LabelMatcher[] | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share of the agents in the canary, percent: 5 at most, at least one agent.',
  })
  canaryPercent?: number | null;

  @Field(() => [Float], {
    nullable: true,
    description: 'Share that has it after each wave, percent, rising: 25, 50, 100 unless said.',
  })
  waves?: number[] | null;

  @Field(() => Float, {
    nullable: true,
    description: 'Share that may be between two versions at once, percent: 10 unless said.',
  })
  maxUnavailablePercent?: number | null;

  @Field(() => Date, { nullable: true, description: 'When it begins; now unless said, at most 30 days ahead.' })
  startAt?: Date | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long all are watched before anything is changed: PT3M unless said.',
  })
  baseline?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long a stage is watched at least: PT1M unless said.',
  })
  bake?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long an agent may take to come up: PT30S unless said.',
  })
  readyWithin?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'A stage that is undecided by then is paused: PT1H unless said.',
  })
  decideWithin?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'How long an agent’s latency says nothing once it is up: PT20S unless said.',
  })
  warmUp?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'From 1 to 10; 2 lets differences pass that are twice as large, on a quarter of the evidence.',
  })
  sensitivity?: number | null;

  @Field(() => String, { nullable: true, description: 'Why, for the audit trail.' })
  reason?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would be.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'Something done to a rollout.' })
export class RolloutActionInput {
  @Field(() => ID, { description: 'Global id of the rollout.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Why, for the audit trail.' })
  reason?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'resumeRollout: the stage is good enough, whatever the evidence lacks.',
  })
  promote?: boolean | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}
