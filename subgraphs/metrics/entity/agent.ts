import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** An agent as this house knows it: a reference by id, on which its series, traces and spending hang. */
@Directive('@key(fields: "id")')
@ObjectType('Agent')
export class MeasuredAgent {
  @Field(() => ID)
  id!: string;

  /** @param id the agent's global id */
  static of(id: string): MeasuredAgent {
    return Object.assign(new MeasuredAgent(), { id });
  }
}
