import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { SCALARS } from '../../../lib/graphql/scalars.ts';

export enum RetentionReason {
  AGE = 'AGE',
  SIZE = 'SIZE',
  TOTAL_SIZE = 'TOTAL_SIZE',
}
registerEnumType(RetentionReason, {
  name: 'RetentionReason',
  description: 'Why entries are removed.',
  valuesConfig: {
    AGE: { description: 'Kept for as long as their policy says.' },
    SIZE: { description: 'The oldest of more than their policy’s `maxBytes`.' },
    TOTAL_SIZE: { description: 'The oldest of more than all logs may have together.' },
  },
});

@ObjectType({ description: 'Entries of one policy that go together, and why.' })
export class RetentionRemoval {
  @Field({ description: 'The policy that governs them.' })
  policy!: string;

  @Field(() => RetentionReason, { description: 'Why they go.' })
  reason!: RetentionReason;

  @Field(() => SCALARS.SafeInt, { description: 'How many they are.' })
  entryCount!: number;

  @Field(() => SCALARS.SafeInt, { description: 'What they weigh, bytes before compression.' })
  sizeBytes!: number;

  @Field(() => Date, { description: 'They were observed before this time.' })
  observedBefore!: Date;
}
