import { Arg, Ctx, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql';
import type { WriteOutcome } from '../../../lib/write/writes.ts';
import { AgentCommand } from '../entity/command.ts';
import type { CommandResult } from '../service/mailbox.ts';
import { receiptOf } from './answers.ts';
import type { AgentsContext } from './context.ts';
import { AgentBeatInput, AgentBeatsInput, CompleteCommandInput, SendAgentCommandInput } from './inputs.ts';
import { AgentBeatPayload, AgentBeatsPayload, AgentCommandPayload } from './payloads.ts';

@Resolver()
export class MailResolver {
  @Mutation(() => AgentBeatPayload, {
    nullable: true,
    description: 'Renews an agent’s lease, takes what it says of itself, and gives it its mail.',
  })
  agentBeat(
    @Arg('input', { description: 'The beat.' }) input: AgentBeatInput,
    @Ctx() { call, services }: AgentsContext,
  ): Promise<AgentBeatPayload> {
    return services.beats.take(call.principal, input);
  }

  @Mutation(() => AgentBeatsPayload, { nullable: true, description: 'Takes beats of many agents at once.' })
  async agentBeats(
    @Arg('input', { description: 'The beats.' }) input: AgentBeatsInput,
    @Ctx() { call, services }: AgentsContext,
  ): Promise<AgentBeatsPayload> {
    return { beats: await services.beats.takeAll(call.principal, input.beats) };
  }

  @Mutation(() => AgentCommandPayload, {
    nullable: true,
    description: 'Puts a command into an agent’s mailbox, where it waits until the agent takes it.',
  })
  async sendAgentCommand(
    @Arg('input', { description: 'What is asked, and of whom.' }) input: SendAgentCommandInput,
    @Ctx() context: AgentsContext,
  ): Promise<AgentCommandPayload> {
    return commandPayload(context, await context.services.mailbox.send(context.call, input));
  }

  @Mutation(() => AgentCommandPayload, { nullable: true, description: 'Says how a command ended.' })
  async completeCommand(
    @Arg('input', { description: 'Which command, and how it ended.' }) input: CompleteCommandInput,
    @Ctx() context: AgentsContext,
  ): Promise<AgentCommandPayload> {
    return commandPayload(context, await context.services.mailbox.complete(context.call, input));
  }

  @Subscription(() => AgentCommand, {
    nullable: true,
    description: 'An agent’s own mailbox: what waits, then what comes, in order.',
    subscribe: ({ args, context }) => {
      const { call, services } = context as AgentsContext;
      const after = call.lastEventId ?? (args['after'] as string | null);
      return services.mailbox.subscribe(call, args['agentId'] as string, after) as never;
    },
  })
  agentCommands(
    @Root() command: AgentCommand,
    @Arg('agentId', () => ID, { description: 'Global id of the agent whose mailbox it is.' }) _agentId: string,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this command’s cursor.' }) _after?: string,
  ): AgentCommand {
    return command;
  }
}

async function commandPayload(
  { services }: AgentsContext,
  outcome: WriteOutcome<CommandResult>,
): Promise<AgentCommandPayload> {
  const uuid = outcome.result?.command;
  return { command: uuid ? await services.mailbox.find(uuid) : null, ...receiptOf(outcome) };
}
