import type { HouseClient } from '../../../lib/call/house-client.ts';
import { systemPrincipal } from '../../../lib/call/principal.ts';
import type { Clock } from '../../../lib/clock.ts';
import { FleetError } from '../../../lib/errors.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { Page, RecoveryStore } from '../store/recoveries.ts';

const RAISE = `mutation ($input: RaiseAlertInput!) {
  raiseAlert(input: $input) { alert { id } userErrors { code message } }
}`;
const BATCH = 20;

interface Raised {
  raiseAlert: { alert: { id: string } | null; userErrors: { code: string; message: string }[] } | null;
}

/** Tells the alerts house the pages that wait: an alert there escalates to a person. Told again, a page is the same alert. */
export class Pager {
  constructor(
    private readonly recoveries: RecoveryStore,
    private readonly alerts: Pick<HouseClient, 'ask'> | undefined,
    private readonly clock: Clock,
  ) {}

  /**
   * Tells what waits, in order.
   * @throws SUBGRAPH_UNAVAILABLE while the alerts house is away: what waits goes on waiting
   */
  async deliver(): Promise<void> {
    for (const page of await this.recoveries.pages(BATCH)) {
      await this.#raise(page);
      await this.recoveries.removePage(page.id);
    }
  }

  async #raise({ id, agentUuid, agentName, kind, reason }: Page): Promise<void> {
    if (!this.alerts)
      throw new FleetError('SUBGRAPH_UNAVAILABLE', 'the address of alerts is not known here', { subgraph: 'alerts' });
    const input = {
      name: 'agent needs a person',
      severity: 'CRITICAL',
      dedupKey: `recovery:${agentUuid}`,
      agentId: nodeId('Agent', agentUuid),
      labels: { agent: agentName, kind },
      annotations: { reason },
      clientMutationId: id,
    };
    const call = { principal: systemPrincipal('agents'), requestId: this.clock.uuid() };
    const { raiseAlert } = await this.alerts.ask<Raised>(call, RAISE, { input });
    const [error] = raiseAlert?.userErrors ?? [];
    // Asked wrongly it would be refused for ever: that is a fault of ours, and must be seen.
    if (error) throw new FleetError('INTERNAL', `a page was refused: ${error.code} ${error.message}`);
  }
}
