import type { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { ENTRIES_ROUTE } from '../../lib/write/relay.ts';

/** Writes entries into the audit house. The router has no database: what it does is durable there before it takes effect. */
export class AuditTrail {
  constructor(
    private readonly audit: HouseClient,
    private readonly clock: Clock,
    private readonly timeoutMs = 3_000,
  ) {}

  /**
   * Resolves once the entries are durable. Twice is harmless: entries have ids.
   * @throws AUDIT_UNAVAILABLE when the house did not say so
   */
  async write(entries: readonly EntryDraft[]): Promise<void> {
    const status = await this.audit
      .send(ENTRIES_ROUTE, {
        call: { principal: systemPrincipal('router'), requestId: this.clock.uuid() },
        body: JSON.stringify({ entries }),
        signal: AbortSignal.timeout(this.timeoutMs),
      })
      .then(
        (answer) => answer.status,
        () => 0,
      );
    if (status !== 200) {
      throw new FleetError('AUDIT_UNAVAILABLE', 'nothing was done, for it could not be audited: try again', {
        retryAfterMs: 1_000,
      });
    }
  }
}
