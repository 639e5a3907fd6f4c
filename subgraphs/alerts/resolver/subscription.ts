import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import type { StreamedChange } from '../../../lib/events/stream.ts';
import { ChangeKind } from '../../../lib/graphql/shared.ts';
import { AlertChange } from '../entity/alert.ts';
import { AlertFilter } from '../entity/inputs.ts';
import { type AlertSnapshot, revive } from '../entity/snapshot.ts';
import type { AlertsContext } from './context.ts';

interface ChangeArgs {
  filter?: AlertFilter | null;
  after?: string | null;
}

@Resolver()
export class AlertSubscriptionResolver {
  @Subscription(() => AlertChange, {
    nullable: true,
    description: 'Each change of an alert that matches, once and in order.',
    subscribe: ({ args, context }) => {
      const { filter, after } = args as ChangeArgs;
      const { read, call } = context as AlertsContext;
      return read.changes(filter ?? {}, call.lastEventId ?? after);
    },
  })
  alertChanged(
    @Root() { cursor, occurredAt, kind, node, previous }: StreamedChange,
    @Arg('filter', () => AlertFilter, { nullable: true, description: 'Which alerts.' }) _filter: AlertFilter | null,
    @Arg('after', () => String, { nullable: true, description: 'Resumes behind this cursor; from now without it.' })
    _after: string | null,
  ): AlertChange {
    const alert = revive(node as unknown as AlertSnapshot);
    return Object.assign(new AlertChange(), { cursor, occurredAt, kind: ChangeKind[kind], node: alert, previous });
  }
}
