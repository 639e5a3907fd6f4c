import type { HouseClient } from '../../lib/call/house-client.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { ENTRIES_ROUTE } from '../../lib/write/relay.ts';

/** What the house cannot have got. */
const NOT_SENT = /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND/;

/** Writes entries into the audit house. The router has no database: what it does is durable there before it takes effect. */
export class AuditTrail {
  constructor(
    private readonly audit: HouseClient,
    private readonly clock: Clock,
    private readonly timeoutMs = 3_000,
  ) {}

  /**
   * Resolves once the entries are durable. Twice is harmless: entries have ids.
   * @throws AUDIT_UNAVAILABLE when the house did not say so; with `inDoubt` when it may have them all the same
   */
  async write(entries: readonly EntryDraft[]): Promise<void> {
    const outcome = await this.audit
      .send(ENTRIES_ROUTE, {
        call: { principal: systemPrincipal('router'), requestId: this.clock.uuid() },
        body: JSON.stringify({ entries }),
        signal: AbortSignal.timeout(this.timeoutMs),
      })
      .then(
        ({ status }) => (status === 200 ? 'written' : status === 500 ? 'in doubt' : 'refused'),
        (error: Error) => (NOT_SENT.test(String(error.cause)) ? 'refused' : 'in doubt'),
      );
    if (outcome === 'written') return;
    const inDoubt = outcome === 'in doubt';
    const sentence = inDoubt
      ? 'it is not known whether this was audited: what can be is finished once the trail answers; try again with the same key'
      : 'nothing was done, for it could not be audited: try again';
    throw new FleetError('AUDIT_UNAVAILABLE', sentence, { retryAfterMs: 1_000, ...(inDoubt ? { inDoubt } : {}) });
  }
}
