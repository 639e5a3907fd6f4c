import type { Principal } from '../../lib/call/principal.ts';
import { systemPrincipal } from '../../lib/call/principal.ts';
import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import type { BreakerMove } from '../guard/circuit.ts';
import { traceIdOf } from '../http/trace-context.ts';
import type { SwapState } from '../schema/swap-rules.ts';

/** Who stands behind a request without a valid credential. */
export const NOBODY: Principal = { id: 'anonymous', kind: 'PERSON', name: 'anonymous', scopes: [] };

/** What an entry says beside who, when and where from. */
export type EntryWhat = Pick<
  EntryDraft,
  'action' | 'outcome' | 'reason' | 'targetType' | 'targetId' | 'before' | 'after'
> &
  Partial<Pick<EntryDraft, 'isDryRun'>>;

/** The entry of something a caller asked for. @param entryId a new one unless given */
export function entryOf(call: Call, clock: Clock, what: EntryWhat, entryId = clock.uuid()): EntryDraft {
  const { id, kind, name } = call.principal;
  return {
    id: entryId,
    occurredAtMs: clock.nowMs(),
    actor: { id, kind, name },
    isDryRun: false,
    ...what,
    requestId: call.requestId,
    traceId: traceIdOf(call.traceparent) ?? null,
    clientIp: call.clientIp ?? null,
    causedBy: null,
  };
}

/** The entry of a request that was turned away: 401 or 403. */
export function denialOf(call: Call, clock: Clock, route: string, reason: string): EntryDraft {
  const target = { targetType: 'Route', targetId: route };
  return entryOf(call, clock, {
    action: 'router.request.denied',
    outcome: 'DENIED',
    reason,
    ...target,
    before: null,
    after: null,
  });
}

/**
 * The entry of a breaker that moved by itself; undefined for a probe's comings and goings, which are no
 * news, and for what another router found, which that one tells.
 */
export function moveEntry(move: BreakerMove, clock: Clock): EntryDraft | undefined {
  if (move.told) return undefined;
  const opened = move.from === 'CLOSED' && move.to === 'OPEN';
  if (!opened && move.to !== 'CLOSED') return undefined;
  const call: Call = { principal: systemPrincipal('router'), requestId: clock.uuid() };
  return entryOf(call, clock, {
    action: opened ? 'router.breaker.opened' : 'router.breaker.closed',
    outcome: 'SUCCEEDED',
    reason: move.reason,
    targetType: 'Subgraph',
    targetId: move.subgraph,
    before: { state: move.from },
    after: { state: move.to, ...(move.replica === undefined ? {} : { replica: move.replica }) },
  });
}

/** The entry of a schema's move on its way into service. @param before hash of the supergraph that was served */
export function swapEntry(state: SwapState, before: string, clock: Clock): EntryDraft {
  const { phase, proposal } = state;
  const hasFailed = phase === 'REFUSED' || phase === 'ROLLED_BACK';
  const call: Call = { principal: systemPrincipal('router'), requestId: clock.uuid() };
  return entryOf(call, clock, {
    action: `router.schema.${phase.toLowerCase().replace('_', '-')}`,
    outcome: hasFailed ? 'FAILED' : 'SUCCEEDED',
    reason: hasFailed ? state.reason : null,
    targetType: 'Schema',
    targetId: proposal.id,
    before: { supergraphHash: before },
    after: { from: proposal.from, force: proposal.force },
  });
}
