import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { agentPayload, tokenPayload } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { AgentActionInput, RegisterAgentInput, SetAgentConfigInput } from './inputs.ts';
import { AgentPayload, RegisterAgentPayload } from './payloads.ts';

const WHICH = { description: 'Which agent, and why.' };

@Resolver()
export class LifeResolver {
  @Mutation(() => RegisterAgentPayload, {
    nullable: true,
    description:
      'Makes an agent known, or greets one that comes back; shows its token. The same name by the same caller is the same agent, another’s name a CONFLICT.',
  })
  registerAgent(
    @Arg('input', { description: 'What it says of itself.' }) input: RegisterAgentInput,
    @Ctx() context: AgentsContext,
  ): Promise<RegisterAgentPayload> {
    return tokenPayload(context, context.services.registry.register(context.call, input));
  }

  @Mutation(() => RegisterAgentPayload, {
    nullable: true,
    description: 'Gives an agent a new token; those before it are void at once.',
  })
  rotateAgentToken(
    @Arg('input', WHICH) input: AgentActionInput,
    @Ctx() context: AgentsContext,
  ): Promise<RegisterAgentPayload> {
    return tokenPayload(context, context.services.lives.rotateToken(context.call, input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Asks an agent at rest to work.' })
  startAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'start', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Asks an agent at work to hold it.' })
  pauseAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'pause', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Asks a paused agent to go on.' })
  resumeAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'resume', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Asks an agent to start anew.' })
  restartAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'restart', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Asks an agent to rest.' })
  stopAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'stop', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Keeps an agent from work until it is released.' })
  quarantineAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'quarantine', input));
  }

  @Mutation(() => AgentPayload, {
    nullable: true,
    description: 'Lets an agent out of quarantine; it is asked for what it was asked before.',
  })
  releaseAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'release', input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Ends an agent’s life; its name is free again.' })
  retireAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.act(context.call, 'retire', input));
  }

  @Mutation(() => AgentPayload, {
    nullable: true,
    description: 'Takes an agent out of all lists and voids its tokens; its id still resolves.',
  })
  deregisterAgent(@Arg('input', WHICH) input: AgentActionInput, @Ctx() context: AgentsContext): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.deregister(context.call, input));
  }

  @Mutation(() => AgentPayload, { nullable: true, description: 'Replaces an agent’s configuration.' })
  setAgentConfig(
    @Arg('input', { description: 'Which agent, and what it should work by.' }) input: SetAgentConfigInput,
    @Ctx() context: AgentsContext,
  ): Promise<AgentPayload> {
    return agentPayload(context, context.services.lives.setConfig(context.call, input));
  }
}
