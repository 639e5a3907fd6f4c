import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { UserError } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { Agent } from '../entity/agent.ts';
import { AgentProfile, ProfileKind } from '../entity/profile.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';

@InputType({ description: 'A profile that an agent is to make of itself.' })
export class ProfileAgentInput {
  @Field(() => ID, { description: 'The agent’s id.' })
  id!: string;

  @Field(() => ProfileKind, { description: 'What it looks at.' })
  kind!: ProfileKind;

  @Field(() => Int, { description: 'How long it looks, 1 to 60.' })
  seconds!: number;

  @Field(() => String, {
    nullable: true,
    description: 'By what it is made: `py-spy` in Python, if it is there; nothing means what its SDK does by itself.',
  })
  engine?: string | null;

  @Field(() => String, { nullable: true, description: 'Why, for the audit trail.' })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: 'Idempotency key: a repeat returns the first outcome.' })
  clientMutationId?: string | null;
}

@ObjectType({ description: 'What became of a profile that was asked for.' })
export class AgentProfilePayload {
  @Field(() => AgentProfile, { nullable: true, description: 'The profile, so far.' })
  profile!: AgentProfile | null;

  @Field(() => [UserError], { description: 'Expected failures; empty when it was done.' })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: 'Its entry in the audit trail.' })
  auditEntry!: AuditEntryReference | null;
}

@Resolver(() => Agent)
export class ProfileResolver {
  @Query(() => AgentProfile, {
    nullable: true,
    description: 'One profile; null when there is none, or none any longer.',
  })
  agentProfile(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() { services }: AgentsContext,
  ): Promise<AgentProfile | null> {
    return services.profiles.find(uuidOf('AgentProfile', id));
  }

  @Mutation(() => AgentProfilePayload, {
    nullable: true,
    description: 'Asks an agent for a profile of itself; answers at once, the profile follows.',
  })
  async profileAgent(
    @Arg('input', { description: 'Of which agent, and for how long.' }) input: ProfileAgentInput,
    @Ctx() { services, call }: AgentsContext,
  ): Promise<AgentProfilePayload> {
    const outcome = await services.profiles.ask(call, input);
    const uuid = outcome.result?.profile;
    return { profile: uuid ? await services.profiles.find(uuid) : null, ...receiptOf(outcome) };
  }

  @FieldResolver(() => [AgentProfile], { nullable: true, description: 'Its profiles that are kept, newest first.' })
  profiles(@Root() agent: Agent, @Ctx() { agents }: AgentsContext): Promise<AgentProfile[]> {
    return agents.profiles.load(agent.uuid);
  }
}
