import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** What other houses own is described by them: another text here would be lost in composition. The agents house's Agent, as far as logs know it. */
@Directive('@key(fields: "id")')
@ObjectType()
export class Agent {
  @Field(() => ID)
  id!: string;

  static of(id: string): Agent {
    return Object.assign(new Agent(), { id });
  }
}

/** The metrics house's Trace: its key, and the logs of it. */
@Directive('@key(fields: "traceId")')
@ObjectType()
export class Trace {
  @Field()
  traceId!: string;

  static of(traceId: string): Trace {
    return Object.assign(new Trace(), { traceId });
  }
}

/** The alerts house's Alert, as far as its logs need it. */
@Directive('@key(fields: "id")')
@ObjectType()
export class Alert {
  @Field(() => ID)
  id!: string;

  @Directive('@external')
  @Field(() => Date)
  startedAt!: Date;

  @Directive('@external')
  @Field(() => Agent, { nullable: true })
  agent?: Agent | null;
}
