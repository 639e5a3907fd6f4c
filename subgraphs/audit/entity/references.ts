import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { Node } from '../../../lib/graphql/shared.ts';

/** Other houses' nodes: what entries are about. */

@Directive('@key(fields: "id")')
@ObjectType({ implements: Node })
export class Agent {
  @Field(() => ID)
  id!: string;
}

@Directive('@key(fields: "id")')
@ObjectType({ implements: Node })
export class Alert {
  @Field(() => ID)
  id!: string;

  @Directive('@external')
  @Field()
  startedAt!: Date;

  @Directive('@external')
  @Field(() => Agent, { nullable: true })
  agent!: Agent | null;
}

@Directive('@key(fields: "id", resolvable: false)')
@ObjectType({ implements: Node })
export class AlertRule {
  @Field(() => ID)
  id!: string;
}

@Directive('@key(fields: "id", resolvable: false)')
@ObjectType({ implements: Node })
export class LogEntry {
  @Field(() => ID)
  id!: string;
}
