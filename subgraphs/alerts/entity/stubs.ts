import { Directive, Field, ID, ObjectType } from 'type-graphql';

/** The agents house owns Agent; here it is a reference by id that alerts hang on. */
@Directive('@key(fields: "id")')
@ObjectType('Agent')
export class AgentReference {
  @Field(() => ID)
  id!: string;

  /** @param id the agent's global id */
  static of(id: string): AgentReference {
    return Object.assign(new AgentReference(), { id });
  }
}

/** The metrics house owns Trace; here it is a reference by its id. */
@Directive('@key(fields: "traceId", resolvable: false)')
@ObjectType('Trace')
export class TraceReference {
  @Field()
  traceId!: string;

  static of(traceId: string): TraceReference {
    return Object.assign(new TraceReference(), { traceId });
  }
}

/** The logs house's LogEntry, as far as its alerts need it. */
@Directive('@key(fields: "id")')
@ObjectType('LogEntry')
export class LogEntryReference {
  @Field(() => ID)
  id!: string;

  @Directive('@external')
  @Field(() => Date)
  time!: Date;

  @Directive('@external')
  @Field(() => AgentReference, { nullable: true })
  agent?: AgentReference | null;
}
