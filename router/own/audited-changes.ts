import { createHash } from 'node:crypto';
import type { Call } from '../../lib/call/signing.ts';
import { type Clock, uuidV7 } from '../../lib/clock.ts';
import { asFleetError, type FleetError } from '../../lib/errors.ts';
import { nodeId } from '../../lib/node-id.ts';
import { argumentsHash } from '../../lib/write/canonical.ts';
import type { EntryDraft } from '../../lib/write/entry.ts';
import { type EntryWhat, entryOf } from '../audit/entries.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { Outcomes } from './outcomes.ts';

const DAY_MS = 86_400_000;

/** What somebody wants changed, and where. */
export interface Wish {
  /** The mutation's name. */
  action: string;
  targetType: string;
  targetId: string;
  /** With `dryRun` it is written down as one, and not done. */
  input: { clientMutationId?: string | null; dryRun?: boolean | null };
  call: Call;
}

/** A change that is ready to take effect. */
export interface Change {
  reason: string | null;
  before: unknown;
  after: unknown;
  /** Told what is about to be written into the trail, so that it can be finished by another process. */
  prepare?(entry: EntryDraft): void;
  apply(): void;
  /** It will not take effect. */
  discard?(): void;
  /** Nobody knows whether the trail has it: it is left, as prepared, to whoever finishes what was left behind. */
  leave?(): void;
}

/** What came of it. */
export interface ChangeOutcome {
  isDone: boolean;
  userErrors: { code: string; message: string; field: string[] | null }[];
  auditEntry: { __typename: 'AuditEntry'; id: string };
}

/** Changes of the router itself by mutation: written into the audit trail first, then done (STREAMS.md 8). */
export class AuditedChanges {
  readonly #outcomes: Outcomes<ChangeOutcome>;

  constructor(
    private readonly trail: AuditTrail,
    private readonly clock: Clock,
  ) {
    this.#outcomes = new Outcomes(clock);
  }

  /**
   * Does it once for each idempotency key. What `plan` throws as a FleetError is a refusal, audited too.
   * @throws AUDIT_UNAVAILABLE, and nothing is changed
   */
  async make(wish: Wish, plan: () => Change): Promise<ChangeOutcome> {
    const { call, input, action } = wish;
    const key = keyOf(wish);
    const scoped = key === undefined ? undefined : JSON.stringify([call.principal.id, key, action]);
    try {
      return await this.#outcomes.once(scoped, input, () => this.#attempt(wish, plan));
    } catch (error) {
      // The key is spent, but this attempt is one of its own.
      if (asFleetError(error)?.code !== 'IDEMPOTENCY_KEY_REUSED') throw error;
      const { idempotencyKey: _, ...keyless } = call;
      const another = { ...wish, call: keyless, input: { ...input, clientMutationId: null } };
      return await this.#refuse(another, asFleetError(error) as FleetError);
    }
  }

  async #attempt(wish: Wish, plan: () => Change): Promise<ChangeOutcome> {
    let planned: Change;
    try {
      planned = plan();
    } catch (error) {
      const refused = asFleetError(error);
      if (!refused) throw error;
      return await this.#refuse(wish, refused);
    }
    const { reason, before, after } = planned;
    try {
      const entry = this.#entryOf(wish, { outcome: 'SUCCEEDED', reason, before, after });
      if (!wish.input.dryRun) planned.prepare?.(entry);
      await this.trail.write([entry]);
      if (wish.input.dryRun) planned.discard?.();
      else planned.apply();
      return { isDone: true, userErrors: [], auditEntry: receipt(entry.id) };
    } catch (error) {
      const inDoubt = asFleetError(error)?.extensions['inDoubt'] === true && !wish.input.dryRun;
      if (inDoubt && planned.leave) planned.leave();
      else planned.discard?.();
      throw error;
    }
  }

  async #refuse(wish: Wish, refused: FleetError): Promise<ChangeOutcome> {
    const { code, message } = refused;
    const what = { outcome: 'FAILED', reason: `${code}: ${message}`, before: null, after: null } as const;
    const entry = this.#entryOf(wish, what);
    await this.trail.write([entry]);
    const field = (refused.extensions['field'] as string[] | undefined) ?? null;
    return { isDone: false, userErrors: [{ code, message, field }], auditEntry: receipt(entry.id) };
  }

  #entryOf(wish: Wish, what: Pick<EntryWhat, 'outcome' | 'reason' | 'before' | 'after'>): EntryDraft {
    const { action, targetType, targetId, call, input } = wish;
    const target = { action, targetType, targetId, isDryRun: input.dryRun === true };
    return entryOf(call, this.clock, { ...target, ...what }, this.#entryIdOf(wish, what));
  }

  /**
   * With an idempotency key the same for each router and each try of a day: whoever else writes it too, the trail keeps one.
   * A router that was killed remembers no outcome; its change is made again, to the same effect.
   */
  #entryIdOf(wish: Wish, { outcome, after }: Pick<EntryWhat, 'outcome' | 'after'>): string | undefined {
    const key = keyOf(wish);
    if (key === undefined) return undefined;
    const { action, targetId, input, call } = wish;
    const dayMs = Math.floor(this.clock.nowMs() / DAY_MS) * DAY_MS;
    const known = JSON.stringify([call.principal.id, key, action, targetId, argumentsHash(input), outcome, after]);
    return uuidV7(dayMs, createHash('sha256').update(known).digest());
  }
}

function keyOf({ call, input }: Wish): string | undefined {
  return call.idempotencyKey ?? input.clientMutationId ?? undefined;
}

function receipt(uuid: string): ChangeOutcome['auditEntry'] {
  return { __typename: 'AuditEntry', id: nodeId('AuditEntry', uuid) };
}
