import { Arg, Ctx, FieldResolver, ID, Int, Query, Resolver, Root } from 'type-graphql';
import { FleetError } from '../../../lib/errors.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import { connectionOf } from '../../../lib/page.ts';
import { Agent } from '../entity/agent.ts';
import { AgentEvent } from '../entity/agent-event.ts';
import { AgentCommand } from '../entity/command.ts';
import { Fleet } from '../entity/fleet.ts';
import { mayRead } from '../service/access.ts';
import type { AgentsContext } from './context.ts';
import { AgentFilter, AgentOrder } from './inputs.ts';

const { Connection: AgentConnection } = connectionOf(() => Agent, 'Agent', true);
const { Connection: AgentEventConnection } = connectionOf(() => AgentEvent, 'AgentEvent');

const AFTER = 'Only what follows this cursor.';

@Resolver(() => Agent)
export class AgentResolver {
  @Query(() => Agent, { nullable: true, description: 'One agent, by id or by name; null when there is none.' })
  async agent(
    @Ctx() { call, agents }: AgentsContext,
    @Arg('id', () => ID, { nullable: true, description: 'Its id; finds deregistered ones too.' }) id?: string | null,
    @Arg('name', () => String, { nullable: true, description: 'Its name; finds those whose life is not over.' }) name?:
      | string
      | null,
  ): Promise<Agent | null> {
    if ((id == null) === (name == null)) throw new FleetError('BAD_INPUT', 'give `id` or `name`, one of them');
    const found = id != null ? await agents.byUuid.load(uuidOf('Agent', id)) : await agents.byName.load(name as string);
    if (found && !mayRead(call.principal, found)) throw new FleetError('FORBIDDEN', 'an agent reads of itself only');
    return found;
  }

  @Query(() => AgentConnection, { nullable: true, description: 'Agents, by name unless ordered otherwise.' })
  agents(
    @Ctx() { services }: AgentsContext,
    @Arg('first', () => Int, { nullable: true, description: 'So many from the start, 1 to 100.' }) first?: number,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after?: string,
    @Arg('last', () => Int, { nullable: true, description: 'So many from the end, 1 to 100.' }) last?: number,
    @Arg('before', () => String, { nullable: true, description: 'Only what precedes this cursor.' }) before?: string,
    @Arg('filter', () => AgentFilter, { nullable: true, description: 'Which agents.' }) filter?: AgentFilter,
    @Arg('orderBy', () => [AgentOrder], { nullable: true, description: 'At most three keys.' })
    orderBy?: AgentOrder[],
  ) {
    return services.catalogue.page({ first, after, last, before }, filter ?? {}, orderBy ?? []);
  }

  @Query(() => Fleet, { nullable: true, description: 'The fleet in numbers.' })
  fleet(@Ctx() { services }: AgentsContext): Promise<Fleet> {
    return services.catalogue.fleet();
  }

  @FieldResolver(() => String, { nullable: true, description: 'One label; null when it has none of this name.' })
  label(@Root() agent: Agent, @Arg('name', { description: 'The label’s name.' }) name: string): string | null {
    return Object.hasOwn(agent.labels, name) ? (agent.labels[name] ?? null) : null;
  }

  @FieldResolver(() => Agent, {
    nullable: true,
    description:
      'The agent as it was at a time: each field as of its last change by then; null before it was registered. What beats alone move (lastSeenAt, leaseExpiresAt, health by less than five points) is as of that change. Goes back FLEET_AGENT_HISTORY_DAYS days, 90 unless set; further back is BAD_INPUT.',
  })
  at(
    @Root() agent: Agent,
    @Ctx() { services }: AgentsContext,
    @Arg('time', () => Date, { description: 'When; nobody knows what will be: a time to come is now.' }) time: Date,
  ): Promise<Agent | null> {
    return services.past.at(agent, time);
  }

  @FieldResolver(() => AgentEventConnection, { nullable: true, description: 'Its story, newest first.' })
  events(
    @Root() agent: Agent,
    @Ctx() { services }: AgentsContext,
    @Arg('first', () => Int, { nullable: true, description: 'So many, 1 to 100.' }) first?: number,
    @Arg('after', () => String, { nullable: true, description: AFTER }) after?: string,
  ) {
    return services.catalogue.timeline(agent, { first, after });
  }

  @FieldResolver(() => [AgentCommand], {
    nullable: true,
    description: 'What waits in its mailbox or is being done: commands that have not ended, oldest first, at most 100.',
  })
  pendingCommands(@Root() agent: Agent, @Ctx() { call, services }: AgentsContext): Promise<AgentCommand[]> {
    return services.mailbox.pending(call, agent);
  }
}
