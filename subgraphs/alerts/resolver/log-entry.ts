import { Arg, Ctx, Directive, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { FleetError } from '../../../lib/errors.ts';
import { Alert } from '../entity/alert.ts';
import { LogEntryReference } from '../entity/stubs.ts';
import type { AlertsContext } from './context.ts';

const MAX_FIRST = 100;

/** Adds what was wrong then to the LogEntry that the logs house owns. */
@Resolver(() => LogEntryReference)
export class LogEntryAlertsResolver {
  @Directive('@requires(fields: "time agent { id }")')
  @FieldResolver(() => [Alert], {
    nullable: true,
    description: 'Alerts about its agent that fired when it happened, newest first; none where no agent wrote it.',
  })
  async alerts(
    @Root() { time, agent }: LogEntryReference,
    @Arg('first', () => Int, { nullable: true, defaultValue: 10, description: 'How many at most; 1 to 100.' })
    first: number,
    @Ctx() { loaders }: AlertsContext,
  ): Promise<Alert[]> {
    if (first < 1 || first > MAX_FIRST) {
      throw new FleetError('BAD_INPUT', `first is 1 to ${MAX_FIRST}`, { field: ['first'] });
    }
    if (!agent) return [];
    const uuids = await loaders.firingAt.load({ agentId: agent.id, atMs: time.getTime() });
    const alerts = await Promise.all(uuids.slice(0, first).map((uuid) => loaders.alert.load(uuid)));
    return alerts.filter((alert) => alert !== null);
  }
}
