import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { agentOf, shownOf } from '../entity/agent.ts';
import { AgentChange } from '../entity/fleet.ts';
import type { AgentsContext } from './context.ts';
import { AgentFilter } from './inputs.ts';

@Resolver()
export class ChangeResolver {
  @Subscription(() => AgentChange, {
    nullable: true,
    description:
      'Agents as they change: state, presence, what is asked of them, configuration, health; not every beat.',
    subscribe: ({ args, context }) => {
      const { call, services } = context as AgentsContext;
      const after = call.lastEventId ?? (args['after'] as string | null);
      return services.catalogue.changes((args['filter'] as AgentFilter | null) ?? {}, after) as never;
    },
  })
  agentChanged(
    @Root() change: StreamedChange,
    @Arg('filter', () => AgentFilter, { nullable: true, description: 'Which agents.' }) _filter?: AgentFilter,
    @Arg('after', () => String, { nullable: true, description: 'Resume after this change’s cursor.' }) _after?: string,
  ): AgentChange {
    const { cursor, occurredAt, kind, node, previous } = change;
    return Object.assign(new AgentChange(), {
      cursor,
      occurredAt,
      kind,
      node: agentOf(node),
      previous: previous && shownOf(previous),
    });
  }
}
