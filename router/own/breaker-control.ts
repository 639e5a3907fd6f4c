import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import { durationMs } from '../../lib/graphql/scalars.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { BreakerOverride } from '../guard/breaker.ts';
import type { Circuit } from '../guard/circuit.ts';
import type { Guard } from '../guard/guard.ts';
import { AuditedChanges, type Change, type ChangeOutcome } from './audited-changes.ts';

export interface ForceBreakerInput {
  subgraph: string;
  override: BreakerOverride;
  for?: string | null;
  reason: string;
  clientMutationId?: string | null;
}

export interface SetSubgraphLimitInput {
  subgraph: string;
  limitPerSecond: number;
  clientMutationId?: string | null;
}

/** What came of it; the subgraph itself is read anew for each answer. */
export interface ControlOutcome extends Omit<ChangeOutcome, 'isDone'> {
  subgraph: string | undefined;
}

const MAX_REASON = 1_000;
const MAX_FOR_MS = 30 * 86_400_000;
const MAX_PER_SECOND = 1_000_000;

/** Changes to the guard by mutation: written into the audit trail first, then done (STREAMS.md 8). */
export class BreakerControl {
  readonly #changes: AuditedChanges;

  constructor(
    private readonly guard: Guard,
    trail: AuditTrail,
    private readonly clock: Clock,
  ) {
    this.#changes = new AuditedChanges(trail, clock);
  }

  /** @throws AUDIT_UNAVAILABLE, and nothing is changed */
  forceBreaker(input: ForceBreakerInput, call: Call): Promise<ControlOutcome> {
    return this.#once('forceBreaker', input, call, (circuit) => {
      const untilMs = this.#untilMs(input);
      const reason = input.reason.trim();
      if (!reason || reason.length > MAX_REASON) throw badInput(`a reason has 1 to ${MAX_REASON} characters`, 'reason');
      return {
        reason,
        before: { override: circuit.state.override, state: circuit.state.phase },
        after: { override: input.override, for: input.for ?? null },
        apply: () => circuit.force(input.override, reason, untilMs),
      };
    });
  }

  /** @throws AUDIT_UNAVAILABLE, and nothing is changed */
  setSubgraphLimit(input: SetSubgraphLimitInput, call: Call): Promise<ControlOutcome> {
    return this.#once('setSubgraphLimit', input, call, (circuit) => {
      const { limitPerSecond } = input;
      if (!(limitPerSecond > 0 && limitPerSecond <= MAX_PER_SECOND)) {
        throw badInput(`a limit is above 0 and at most ${MAX_PER_SECOND}`, 'limitPerSecond');
      }
      return {
        reason: null,
        before: { limitPerSecond: circuit.limitPerSecond },
        after: { limitPerSecond },
        apply: () => circuit.setLimit(limitPerSecond),
      };
    });
  }

  async #once(
    action: string,
    input: { subgraph: string; clientMutationId?: string | null },
    call: Call,
    change: (circuit: Circuit) => Change,
  ): Promise<ControlOutcome> {
    const wish = { action, targetType: 'Subgraph', targetId: input.subgraph, input, call };
    const { isDone, ...outcome } = await this.#changes.make(wish, () => {
      const circuit = this.guard.circuits.get(input.subgraph);
      if (!circuit) throw new FleetError('NOT_FOUND', 'there is no such subgraph', { field: ['subgraph'] });
      return change(circuit);
    });
    return { ...outcome, subgraph: isDone ? input.subgraph : undefined };
  }

  #untilMs(input: ForceBreakerInput): number | undefined {
    if (input.for == null) return undefined;
    const forMs = durationMs(input.for) ?? 0;
    if (forMs <= 0 || forMs > MAX_FOR_MS) throw badInput('a time is above 0 and at most 30 days', 'for');
    if (input.override === 'AUTO') throw badInput('AUTO has no end', 'for');
    return this.clock.nowMs() + forMs;
  }
}

function badInput(message: string, field: string): FleetError {
  return new FleetError('BAD_INPUT', message, { field: [field] });
}
