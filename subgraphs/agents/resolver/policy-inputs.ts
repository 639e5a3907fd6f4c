import { Field, Float, InputType, Int } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { RecoveryAction, RecoveryMode, RecoveryTrouble } from '../entity/recovery.ts';

@InputType({ description: 'One rung of a recovery’s ladder.' })
export class RecoveryStepInput {
  @Field(() => RecoveryAction, { description: 'What is done.' })
  action!: RecoveryAction;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description: 'How often within the window before the next rung, 1 to 20.',
  })
  attempts!: number;

  @Field(() => [RecoveryTrouble], {
    nullable: true,
    defaultValue: [RecoveryTrouble.SILENT, RecoveryTrouble.FAILED, RecoveryTrouble.CRITICAL],
    description: 'Against which troubles.',
  })
  on!: RecoveryTrouble[];
}

@InputType({ description: 'A whole recovery policy; what is left out is as in the built-in default.' })
export class RecoveryPolicyInput {
  @Field({ description: 'Its name: a policy of this name is replaced.' })
  name!: string;

  @Field(() => RecoveryMode, { nullable: true, description: 'Whether it acts, only tells, or is off; ACT without it.' })
  mode?: RecoveryMode | null;

  @Field(() => Int, { nullable: true, description: 'Of several that match, the highest holds; 0 without it.' })
  priority?: number | null;

  @Field(() => [String], { nullable: true, description: 'For agents of these kinds; of any without it.' })
  kinds?: string[] | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'For agents with all of these labels.' })
  labels?: Record<string, string> | null;

  @Field(() => [RecoveryStepInput], { description: 'The ladder, 1 to 16 rungs.' })
  steps!: RecoveryStepInput[];

  @Field(() => Int, { nullable: true, description: 'Beats in a row with a score below 50 that are trouble.' })
  criticalBeats?: number | null;

  @Field(() => Int, { nullable: true, description: 'Beats in a row with a score below 80 that are trouble.' })
  degradedBeats?: number | null;

  @Field(() => SCALARS.Duration, { nullable: true, description: 'How long a step counts against its attempts.' })
  window?: string | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'Pause after the first step; doubles with each other.',
  })
  rest?: string | null;

  @Field(() => SCALARS.Duration, { nullable: true, description: 'The longest pause.' })
  maxRest?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'By which share a pause is lengthened at most, by chance: 0 to 1.',
  })
  jitter?: number | null;

  @Field(() => SCALARS.Duration, {
    nullable: true,
    description: 'Well for so long, an agent’s earlier steps are forgotten.',
  })
  coolDown?: string | null;

  @Field(() => Float, {
    nullable: true,
    description: 'No more than this share of a kind is taken from its work at a time; always one agent.',
  })
  maxShare?: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Refused with CONFLICT when it has another version; 0: it must be new.',
  })
  expectedVersion?: number | null;

  @Field(() => Boolean, { nullable: true, description: 'Only tells what would change.' })
  dryRun?: boolean | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}
