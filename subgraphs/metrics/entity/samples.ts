import { Field, Float, InputType, Int, ObjectType } from 'type-graphql';
import { RejectedRecord } from '../../../lib/graphql/rejected-record.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { UserError } from '../../../lib/graphql/shared.ts';
import { MetricType } from './metric.ts';

@InputType({ description: 'A number that was measured.' })
export class SampleInput {
  @Field({ description: 'The metric’s name, 1–255 characters.' })
  metric!: string;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'What tells this series from others of the metric.' })
  labels?: Record<string, string> | null;

  @Field(() => Date, { nullable: true, description: 'When it was measured; nothing means now.' })
  time?: Date | null;

  @Field(() => Float, { description: 'The value.' })
  value!: number;

  @Field(() => MetricType, { nullable: true, description: 'What kind of number it is; nothing means GAUGE.' })
  type?: MetricType | null;
}

@InputType({ description: 'Samples to be stored.' })
export class RecordSamplesInput {
  @Field(() => [SampleInput], { description: 'At most 10,000.' })
  samples!: SampleInput[];

  @Field(() => String, {
    nullable: true,
    description: 'Names this batch, 1–255 characters: the same again within a day is stored once.',
  })
  batchId?: string | null;
}

@ObjectType({ description: 'What became of a batch of samples.' })
export class RecordSamplesPayload {
  @Field(() => Int, { description: 'How many are durable; for a repeat, how many were the first time.' })
  accepted!: number;

  @Field(() => [RejectedRecord], { description: 'Those that were not taken.' })
  rejected!: RejectedRecord[];

  @Field(() => [UserError], { description: 'Why nothing was taken.' })
  userErrors!: UserError[];
}
