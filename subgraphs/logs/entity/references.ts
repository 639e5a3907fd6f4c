import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** The agents house's Agent, as far as logs know it. */
@Directive('@key(fields: "id")')
@ObjectType({ description: 'An agent of the fleet.' })
export class Agent {
  @Field(() => ID, { description: 'Its global id.' })
  id!: string;

  static of(id: string): Agent {
    return Object.assign(new Agent(), { id });
  }
}

/** The metrics house's Trace: its key, and the logs of it. */
@Directive('@key(fields: "traceId")')
@ObjectType({ description: 'One request’s way through the fleet.' })
export class Trace {
  @Field({ description: '32 hexadecimal digits.' })
  traceId!: string;

  static of(traceId: string): Trace {
    return Object.assign(new Trace(), { traceId });
  }
}

/** The alerts house's Alert, as far as its logs need it. */
@Directive('@key(fields: "id")')
@ObjectType({ description: 'Something that is wrong.' })
export class Alert {
  @Field(() => ID, { description: 'Its global id.' })
  id!: string;

  @Directive('@external')
  @Field(() => Date, { description: 'When it began.' })
  startedAt!: Date;

  @Directive('@external')
  @Field(() => Agent, { nullable: true, description: 'The agent it is about, if it is about one.' })
  agent?: Agent | null;
}
