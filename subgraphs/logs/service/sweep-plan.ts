import { canonicalJson } from '../../../lib/write/canonical.ts';
import type { LogMatch, RetentionPolicy } from '../entity/index.ts';
import { nanosOf, type SweepStore, type SweptBefore, type SweptPolicy, type SweptRows } from '../store/index.ts';
import { criteriaOfMatch, ranked, shapeOf } from './retention-policy.ts';

/** A policy as a plan has it: JSON. */
interface PlannedPolicy {
  name: string;
  version: number;
  /** ISO 8601. */
  keepFor: string;
  maxBytes: number | null;
  hold: boolean;
  match: LogMatch;
  before: SweptBefore;
}

/**
 * Which entries go, so that it is the same ones whenever it is looked at: of those that were durable at the mark, those observed
 * before what is said of the policy that governs them. JSON, because it is written down before anything goes.
 */
export interface SweepPlan {
  policies: PlannedPolicy[];
  /** The highest stamp that was durable. */
  mark: number;
  /** What was told of it. */
  told: SweptRows[];
  /** The policies that it was made of. */
  rules: string;
}

/** What a plan is made of. */
export interface SweepRules {
  policies: readonly RetentionPolicy[];
  /** All logs together, bytes before compression; null for any. */
  totalBytes: number | null;
  nowMs: number;
  mark: number;
}

/** What goes by these rules now. */
export async function planOf(store: SweepStore, { policies, totalBytes, nowMs, mark }: SweepRules): Promise<SweepPlan> {
  const planned = ranked(policies).map((policy): PlannedPolicy => {
    const age = policy.hold ? '0' : nanosOf(Math.max(0, nowMs - policy.keepForMs));
    return { ...shapeOf(policy), match: policy.match, before: { age, size: '0', total: '0' } };
  });
  const sizes = planned.map(({ hold, maxBytes }) => (hold ? null : maxBytes));
  for (const [at, cutMs] of await store.sizeCuts(sweptOf(planned), sizes)) {
    (planned[at] as PlannedPolicy).before.size = nanosOf(cutMs);
  }
  const totalMs = totalBytes === null ? undefined : await store.totalCut(sweptOf(planned), totalBytes);
  if (totalMs !== undefined) {
    for (const { hold, before } of planned) if (!hold) before.total = nanosOf(totalMs);
  }
  const told = await store.removals(sweptOf(planned), mark);
  return { policies: planned, mark, told, rules: rulesOf(policies, totalBytes) };
}

/** The store's view of planned policies. */
export function sweptOf(policies: readonly PlannedPolicy[]): SweptPolicy[] {
  return policies.map(({ match, hold, before }) => ({ criteria: criteriaOfMatch(match), hold, before }));
}

/** Equal for rules that mean the same. */
export function rulesOf(policies: readonly RetentionPolicy[], totalBytes: number | null): string {
  return canonicalJson({ policies: ranked(policies).map(shapeOf), totalBytes });
}

/** Why entries of a plan go, in words. */
export function whyOf({ policies }: SweepPlan, { place, reason }: SweptRows, totalBytes: number | null): string {
  const { keepFor, maxBytes } = policies[place] as PlannedPolicy;
  if (reason === 'AGE') return `kept for ${keepFor}`;
  return reason === 'SIZE' ? `over ${maxBytes} bytes` : `all logs are over ${totalBytes} bytes`;
}

/** Up to where entries of a plan go for a reason, nanoseconds since 1970. */
export function beforeOf({ policies }: SweepPlan, { place, reason }: SweptRows): string {
  const { age, size, total } = (policies[place] as PlannedPolicy).before;
  return { AGE: age, SIZE: size, TOTAL_SIZE: total }[reason];
}
