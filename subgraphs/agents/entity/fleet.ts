import { Field, Float, Int, ObjectType } from 'type-graphql';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Actor, Change } from '../../../lib/graphql/shared.ts';
import { Agent } from './agent.ts';
import { AgentState } from './enums.ts';

@ObjectType({ description: 'Who the caller is to this API.' })
export class Viewer {
  @Field(() => Actor, { description: 'The caller as actor.' })
  actor!: Actor;

  @Field(() => [String], { description: 'The scopes its credential was granted.' })
  scopes!: readonly string[];

  @Field(() => Date, { nullable: true, description: 'When its credential ends; null if never.' })
  expiresAt!: Date | null;
}

@ObjectType({ description: 'How many agents are in a state.' })
export class StateCount {
  @Field(() => AgentState, { description: 'Where these agents are in their lives.' })
  state!: AgentState;

  @Field(() => Int, { description: 'How many agents.' })
  count!: number;
}

@ObjectType({ description: 'How many agents have a presence.' })
export class PresenceCount {
  @Field(() => AgentPresence, { description: 'Whether these agents are there, by their leases.' })
  presence!: AgentPresence;

  @Field(() => Int, { description: 'How many agents.' })
  count!: number;
}

@ObjectType({ description: 'How many agents are of a kind.' })
export class KindCount {
  @Field({ description: 'What sort of agents these are.' })
  kind!: string;

  @Field(() => Int, { description: 'How many agents.' })
  count!: number;
}

@ObjectType({ description: 'The fleet in numbers.' })
export class Fleet {
  @Field(() => Int, { description: 'How many agents there are.' })
  total!: number;

  @Field(() => [StateCount], { description: 'By state; states that nobody is in are left out.' })
  byState!: StateCount[];

  @Field(() => [PresenceCount], { description: 'By presence; presences that nobody has are left out.' })
  byPresence!: PresenceCount[];

  @Field(() => [KindCount], { description: 'By kind, the most frequent first.' })
  kinds!: KindCount[];

  @Field(() => Float, { description: 'Mean health score of the agents that were ever heard; 100 when none was.' })
  health!: number;
}

@ObjectType({ implements: Change, description: 'A change of an agent; mere beats are none.' })
export class AgentChange extends Change {
  @Field(() => Agent, { description: 'The agent as it was after the change.' })
  node!: Agent;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'Its own fields before the change.' })
  previous!: unknown;
}
