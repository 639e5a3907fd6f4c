import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import type { Writes, Written } from '../../../lib/write/writes.ts';
import { RetentionPolicy, type RetentionPolicyInput, type RetentionPolicyPayload } from '../entity/index.ts';
import { type Governed, nanosOf, type RetentionStore, SEVERITIES, type SweepStore } from '../store/index.ts';

/** The policy for what no other is about. */
export const DEFAULT_POLICY = 'default';
const MAX_POLICIES = 100;
const MIN_KEEP_MS = 60_000;
const MAX_KEEP_MS = 100 * 365 * 24 * 60 * 60_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a policy looks like in the audit trail and in a stored outcome. */
interface PolicyShape {
  name: string;
  version: number;
  match: object;
  keepFor: string;
  maxBytes: number | null;
  hold: boolean;
}

interface Outcome {
  policy: PolicyShape;
  changes: PatchStep[];
}

/** How long logs are kept: policies, and the sweep that carries them out. */
export class Retention {
  constructor(
    private readonly policies: RetentionStore,
    private readonly sweeps: SweepStore,
    private readonly writes: Writes,
    private readonly clock: Clock,
    /** Milliseconds, where no policy says otherwise. */
    private readonly defaultKeepMs: number,
  ) {}

  /** All policies by name; `default` is among them, also while it is only a setting. */
  async all(): Promise<RetentionPolicy[]> {
    const stored = await this.policies.all();
    if (stored.some(({ name }) => name === DEFAULT_POLICY)) return stored;
    const standard = {
      name: DEFAULT_POLICY,
      version: 0,
      match: {},
      keepForMs: this.defaultKeepMs,
      maxBytes: null,
      hold: false,
    };
    const all = [...stored, Object.assign(new RetentionPolicy(), standard)];
    return all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Makes or changes a policy by name. */
  async apply(input: RetentionPolicyInput, call: Call): Promise<RetentionPolicyPayload> {
    const outcome = await this.writes.run<Outcome>({
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

  async #apply(tx: Transaction, input: RetentionPolicyInput): Promise<Written<Outcome>> {
    const wanted = checked(input);
    await this.policies.serialize(tx, input.name);
    const before = await this.policies.lock(tx, input.name);
    const version = before?.version ?? 0;
    if (input.expectedVersion != null && input.expectedVersion !== version) {
      throw new FleetError('CONFLICT', `policy ${input.name} has version ${version}, not ${input.expectedVersion}`, {
        field: ['input', 'expectedVersion'],
      });
    }
    if (!before && (await this.policies.count(tx)) >= MAX_POLICIES) {
      throw new FleetError('CONFLICT', `there are ${MAX_POLICIES} policies already`);
    }
    const was = before && shapeOf(before);
    const same = before && patchOf(was, shapeOf({ ...wanted, version })).length === 0;
    const after = Object.assign(new RetentionPolicy(), wanted, { version: same ? version : version + 1 });
    if (!same) await this.policies.save(tx, after);
    const is = shapeOf(after);
    return {
      result: { policy: is, changes: patchOf(was ?? undefined, is) },
      target: { type: 'RetentionPolicy', id: input.name },
      before: was,
      after: is,
      rollback: input.dryRun === true,
    };
  }

  /**
   * Removes what is to go by now: what was kept long enough, then the oldest of what is too much. Each policy's removal is in
   * the audit trail before it happens.
   * @returns how many entries went
   */
  async sweep(): Promise<number> {
    const policies = ranked(await this.all());
    const governed = policies.map(({ match }) => governedBy(match));
    let removed = 0;
    for (const [index, policy] of policies.entries()) {
      if (policy.hold) continue;
      const before = nanosOf(Math.max(0, this.clock.nowMs() - policy.keepForMs));
      removed += await this.#remove(policy, governed, index, before, `kept for ${policy.keepFor}`);
      if (policy.maxBytes === null) continue;
      const cut = cutAt(await this.sweeps.minutes(governed, index), policy.maxBytes);
      if (cut !== undefined) {
        removed += await this.#remove(policy, governed, index, nanosOf(cut), `over ${policy.maxBytes} bytes`);
      }
    }
    return removed;
  }

  async #remove(
    policy: RetentionPolicy,
    governed: Governed[],
    index: number,
    before: string,
    why: string,
  ): Promise<number> {
    const { rows, stamp } = await this.sweeps.due(governed, index, before);
    if (rows === 0) return 0;
    await this.writes.transaction(async (tx) => {
      await this.policies.raiseSweptStamp(tx, stamp);
      await this.writes.system(tx, 'logs', [
        {
          action: 'logs.retention.swept',
          target: { type: 'RetentionPolicy', id: policy.name },
          reason: `${rows} entries of policy ${policy.name}: ${why}`,
          before: { entries: rows },
          after: { entries: 0, observedBefore: before, policyVersion: policy.version },
        },
      ]);
    });
    await this.sweeps.remove(governed, index, before);
    return rows;
  }
}

/** Which policy comes first where several are about an entry: a hold, then the longest; the default last. */
function ranked(policies: readonly RetentionPolicy[]): RetentionPolicy[] {
  const rank = ({ name, hold, keepForMs }: RetentionPolicy) =>
    name === DEFAULT_POLICY ? -1 : hold ? MAX_KEEP_MS + 1 : keepForMs;
  return [...policies].sort((a, b) => rank(b) - rank(a));
}

function governedBy({ services, maxSeverity }: RetentionPolicy['match']): Governed {
  return { ...(services ? { services } : {}), ...(maxSeverity ? { maxRank: SEVERITIES.indexOf(maxSeverity) } : {}) };
}

/** Epoch milliseconds up to which the oldest must go, so that no more than `maxBytes` are left; undefined when it is not too much. */
export function cutAt(newestFirst: readonly { minute: number; bytes: number }[], maxBytes: number): number | undefined {
  let kept = 0;
  for (const { minute, bytes } of newestFirst) {
    kept += bytes;
    if (kept > maxBytes) return (minute + 1) * 60_000;
  }
  return undefined;
}

function checked(input: RetentionPolicyInput): Omit<RetentionPolicy, 'version' | 'keepFor'> {
  const { name, match, keepFor, maxBytes, hold } = input;
  if (!NAME.test(name)) refuse('a name has 1 to 63 letters, digits, dots, dashes or underscores', 'name');
  if (match.services && (match.services.length === 0 || match.services.length > 100)) {
    refuse('a match has 1 to 100 services, or leaves them out', 'match', 'services');
  }
  if (name === DEFAULT_POLICY && (match.services || match.maxSeverity)) {
    refuse('the default policy is about everything that no other is about: its match is empty', 'match');
  }
  const keepForMs = durationMs(keepFor) ?? 0;
  if (keepForMs < MIN_KEEP_MS || keepForMs > MAX_KEEP_MS) refuse('logs are kept for a minute to 100 years', 'keepFor');
  if (maxBytes != null && maxBytes < 1) refuse('maxBytes is at least 1', 'maxBytes');
  return {
    name,
    match: {
      ...(match.services ? { services: match.services } : {}),
      ...(match.maxSeverity ? { maxSeverity: match.maxSeverity } : {}),
    },
    keepForMs,
    maxBytes: maxBytes ?? null,
    hold: hold ?? false,
  };
}

function refuse(sentence: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field: ['input', ...field] });
}

function shapeOf(policy: Omit<RetentionPolicy, 'keepFor'>): PolicyShape {
  const { name, version, match, keepForMs, maxBytes, hold } = policy;
  return { name, version, match, keepFor: isoDuration(keepForMs), maxBytes, hold };
}

function policyOf({ keepFor, ...shape }: PolicyShape): RetentionPolicy {
  return Object.assign(new RetentionPolicy(), shape, { keepForMs: durationMs(keepFor) ?? 0 });
}
