import { Directive, Field, Int, ObjectType } from 'type-graphql';

/** Logs and metrics tell the same way what of a batch they did not take. */
@Directive('@shareable')
@ObjectType({ description: 'One record of a batch that was not taken, and why; the others were.' })
export class RejectedRecord {
  @Field(() => Int, { description: 'Its place in the batch, from 0.' })
  index!: number;

  @Field({ description: 'What is wrong with it.' })
  reason!: string;
}
