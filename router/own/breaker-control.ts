import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFleetError, FleetError } from '../../lib/errors.ts';
import { durationMs } from '../../lib/graphql/scalars.ts';
import { nodeId } from '../../lib/node-id.ts';
import { entryOf } from '../audit/entries.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { BreakerOverride } from '../guard/breaker.ts';
import type { Circuit } from '../guard/circuit.ts';
import type { Guard } from '../guard/guard.ts';
import { Outcomes } from './outcomes.ts';

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
export interface ControlOutcome {
  subgraph: string | undefined;
  userErrors: { code: string; message: string; field: string[] | null }[];
  auditEntry: { __typename: 'AuditEntry'; id: string };
}

/** A change that is ready to take effect. */
interface Change {
  reason: string | null;
  before: unknown;
  after: unknown;
  apply(): void;
}

const MAX_REASON = 1_000;
const MAX_FOR_MS = 30 * 86_400_000;
const MAX_PER_SECOND = 1_000_000;

/** Changes to the guard by mutation: written into the audit trail first, then done (STREAMS.md 8). */
export class BreakerControl {
  readonly #outcomes: Outcomes<ControlOutcome>;

  constructor(
    private readonly guard: Guard,
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
  ) {
    this.#outcomes = new Outcomes(clock);
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
    const key = call.idempotencyKey ?? input.clientMutationId ?? undefined;
    const scoped = key === undefined ? undefined : JSON.stringify([call.principal.id, key, action]);
    try {
      return await this.#outcomes.once(scoped, input, () => this.#attempt(action, input.subgraph, call, change));
    } catch (error) {
      // The key is spent, but this attempt is one of its own.
      if (asFleetError(error)?.code !== 'IDEMPOTENCY_KEY_REUSED') throw error;
      return await this.#refuse(action, input.subgraph, call, asFleetError(error) as FleetError);
    }
  }

  async #attempt(
    action: string,
    subgraph: string,
    call: Call,
    change: (circuit: Circuit) => Change,
  ): Promise<ControlOutcome> {
    let planned: Change;
    try {
      const circuit = this.guard.circuits.get(subgraph);
      if (!circuit) throw new FleetError('NOT_FOUND', 'there is no such subgraph', { field: ['subgraph'] });
      planned = change(circuit);
    } catch (error) {
      const refused = asFleetError(error);
      if (!refused) throw error;
      return await this.#refuse(action, subgraph, call, refused);
    }
    const { reason, before, after } = planned;
    const target = { targetType: 'Subgraph', targetId: subgraph };
    const entry = entryOf(call, this.clock, { action, outcome: 'SUCCEEDED', reason, ...target, before, after });
    await this.trail.write([entry]);
    planned.apply();
    return { subgraph, userErrors: [], auditEntry: receipt(entry.id) };
  }

  async #refuse(action: string, subgraph: string, call: Call, refused: FleetError): Promise<ControlOutcome> {
    const { code, message } = refused;
    const entry = entryOf(call, this.clock, {
      action,
      outcome: 'FAILED',
      reason: `${code}: ${message}`,
      targetType: 'Subgraph',
      targetId: subgraph,
      before: null,
      after: null,
    });
    await this.trail.write([entry]);
    const field = (refused.extensions['field'] as string[] | undefined) ?? null;
    return { subgraph: undefined, userErrors: [{ code, message, field }], auditEntry: receipt(entry.id) };
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

function receipt(uuid: string): ControlOutcome['auditEntry'] {
  return { __typename: 'AuditEntry', id: nodeId('AuditEntry', uuid) };
}
