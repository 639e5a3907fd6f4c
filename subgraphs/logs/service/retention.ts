import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import type { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import type { Writes, Written } from '../../../lib/write/writes.ts';
import {
  type PolicyUsage,
  RetentionPolicy,
  type RetentionPolicyInput,
  type RetentionPolicyPayload,
  RetentionReason,
  RetentionRemoval,
} from '../entity/index.ts';
import type { RetentionStore, SweepStore } from '../store/index.ts';
import {
  checked,
  criteriaOfMatch,
  DEFAULT_POLICY,
  type PolicyShape,
  policyOf,
  ranked,
  shapeOf,
} from './retention-policy.ts';
import { beforeOf, planOf, type SweepPlan } from './sweep-plan.ts';
import type { Watermark } from './tail.ts';

const MAX_POLICIES = 100;

interface Outcome {
  policy: PolicyShape;
  changes: PatchStep[];
}

/** Where policies and entries are. */
export interface RetentionPlaces {
  policies: RetentionStore;
  store: SweepStore;
  /** The same within the limits of a search: for who only asks. */
  asked: SweepStore;
  mark: Watermark;
}

export interface RetentionParts extends RetentionPlaces {
  writes: Writes;
  clock: Clock;
  /** Milliseconds, where no policy says otherwise. */
  defaultKeepMs: number;
  /** All logs together, bytes before compression; null for any. */
  totalBytes: number | null;
}

/** How long logs are kept: the policies, what they govern, and what would go by them. */
export class Retention {
  constructor(private readonly parts: RetentionParts) {}

  get totalBytes(): number | null {
    return this.parts.totalBytes;
  }

  /** All policies by name; `default` is among them, also while it is only a setting. */
  async all(tx?: Transaction): Promise<RetentionPolicy[]> {
    const stored = await this.parts.policies.all(tx);
    if (stored.some(({ name }) => name === DEFAULT_POLICY)) return stored;
    const all = [...stored, Object.assign(new RetentionPolicy(), this.#standard())];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes or changes a policy by name. */
  async apply(input: RetentionPolicyInput, call: Call): Promise<RetentionPolicyPayload> {
    const outcome = await this.parts.writes.run<Outcome>({
      call,
      action: 'applyRetentionPolicy',
      args: input,
      target: { type: 'RetentionPolicy', id: input.name.slice(0, 255) },
      run: (tx) => this.#apply(tx, input),
    });
    return {
      policy: outcome.result ? policyOf(outcome.result.policy) : null,
      changes: (outcome.result?.changes ?? []) as RetentionPolicyPayload['changes'],
      userErrors: outcome.userErrors,
      auditEntry: AuditEntryReference.of(outcome.auditEntry),
    };
  }

  /** Deletes a policy: what it governed, the others govern; `default` is the setting again. */
  async delete(input: DeleteByNameInput, call: Call): Promise<DeletedPayload> {
    const { policies, writes } = this.parts;
    const target = { type: 'RetentionPolicy', id: input.name.slice(0, 255) };
    const outcome = await writes.run<{ name: string }>({
      call,
      action: 'deleteRetentionPolicy',
      args: input,
      target,
      run: async (tx) => {
        await policies.holdOffSweeps(tx);
        const policy = await policies.lock(tx, input.name);
        if (!policy) {
          throw new FleetError('NOT_FOUND', `there is no policy ${target.id}`, { field: ['input', 'name'] });
        }
        checkVersion(input, policy.version);
        await policies.delete(tx, policy.name);
        return { result: { name: policy.name }, target, before: shapeOf(policy), after: null };
      },
    });
    return {
      name: outcome.result?.name ?? null,
      userErrors: outcome.userErrors,
      auditEntry: AuditEntryReference.of(outcome.auditEntry),
    };
  }

  /** Which entries go by now. */
  async plan(): Promise<SweepPlan> {
    return await this.#plan(this.parts.store, await this.all());
  }

  /**
   * What a sweep at this moment would remove.
   * @param instead a policy as it would be @param without names of policies as if they were deleted
   */
  async preview(instead?: RetentionPolicy | null, without: readonly string[] = []): Promise<RetentionRemoval[]> {
    const gone = new Set([...without, ...(instead ? [instead.name] : [])]);
    const policies = (await this.all()).filter(({ name }) => !gone.has(name));
    if (instead) policies.push(instead);
    if (!policies.some(({ name }) => name === DEFAULT_POLICY)) {
      policies.push(Object.assign(new RetentionPolicy(), this.#standard()));
    }
    const plan = await this.#plan(this.parts.asked, policies);
    return plan.told.map((rows) =>
      Object.assign(new RetentionRemoval(), {
        policy: plan.policies[rows.place]?.name,
        reason: RetentionReason[rows.reason],
        entryCount: rows.entries,
        sizeBytes: rows.bytes,
        observedBefore: new Date(Number(BigInt(beforeOf(plan, rows)) / 1_000_000n)),
      }),
    );
  }

  /** What these policies govern at the moment; null for a name that is none. */
  async usage(names: readonly string[]): Promise<(PolicyUsage | null)[]> {
    const policies = ranked(await this.all());
    const before = { age: '0', size: '0', total: '0' };
    const swept = policies.map(({ match, hold }) => ({ criteria: criteriaOfMatch(match), hold, before }));
    const rows = new Map((await this.parts.asked.usage(swept)).map((row) => [policies[row.place]?.name, row]));
    return names.map((name) => {
      const row = rows.get(name);
      if (!row) return policies.some((policy) => policy.name === name) ? NOTHING : null;
      const oldestAt = new Date(Number(BigInt(row.oldest) / 1_000_000n));
      return { entryCount: row.entries, sizeBytes: row.bytes, oldestAt };
    });
  }

  #plan(store: SweepStore, policies: readonly RetentionPolicy[]): Promise<SweepPlan> {
    const { totalBytes, clock, mark } = this.parts;
    return planOf(store, { policies, totalBytes, nowMs: clock.nowMs(), mark: mark.watermark });
  }

  async #apply(tx: Transaction, input: RetentionPolicyInput): Promise<Written<Outcome>> {
    const { policies, store } = this.parts;
    const wanted = checked(input);
    await store.check(criteriaOfMatch(wanted.match));
    if (!input.dryRun) await policies.holdOffSweeps(tx);
    await policies.serialize(tx, input.name);
    const before = await policies.lock(tx, input.name);
    const version = before?.version ?? 0;
    checkVersion(input, version);
    if (!before && (await policies.count(tx)) >= MAX_POLICIES) {
      throw new FleetError('CONFLICT', `there are ${MAX_POLICIES} policies already`);
    }
    const was = before && shapeOf(before);
    const same = before && patchOf(was, shapeOf({ ...wanted, version })).length === 0;
    const after = Object.assign(new RetentionPolicy(), wanted, { version: same ? version : version + 1 });
    if (!same) await policies.save(tx, after);
    const is = shapeOf(after);
    return {
      result: { policy: is, changes: patchOf(was ?? undefined, is) },
      target: { type: 'RetentionPolicy', id: input.name },
      before: was,
      after: is,
    };
  }

  #standard() {
    const keepForMs = this.parts.defaultKeepMs;
    return { name: DEFAULT_POLICY, version: 0, match: {}, keepForMs, maxBytes: null, hold: false };
  }
}

const NOTHING: PolicyUsage = { entryCount: 0, sizeBytes: 0, oldestAt: null };

function checkVersion({ name, expectedVersion }: { name: string; expectedVersion?: number | null }, is: number): void {
  if (expectedVersion == null || expectedVersion === is) return;
  throw new FleetError('CONFLICT', `policy ${name} has version ${is}, not ${expectedVersion}`, {
    field: ['input', 'expectedVersion'],
  });
}
