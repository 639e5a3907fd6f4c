import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState, HealthGrade } from '../entity/enums.ts';

/** What the policy decides by. */
export interface RecoveryFacts {
  state: AgentState;
  desired: AgentState;
  presence: AgentPresence;
  grade: HealthGrade;
  /** Beats in a row that showed CRITICAL health. */
  criticalBeats: number;
  /** Whether a restart that was asked for is still under way. */
  restartPending: boolean;
  /** Times of the platform's own restarts of it, epoch milliseconds, oldest first. */
  attemptsAtMs: readonly number[];
}

export type Recovery = { step: 'restart' | 'quarantine'; reason: string };

export interface RecoveryPolicy {
  /** CRITICAL beats in a row before a restart. */
  criticalBeats: number;
  /** Restarts in the window before the agent is quarantined. */
  budget: number;
  windowMs: number;
  /** Rest after the first restart, milliseconds; doubles with each further one. */
  restMs: number;
}

export const RECOVERY: RecoveryPolicy = { criticalBeats: 5, budget: 5, windowMs: 10 * 60_000, restMs: 5_000 };

/**
 * Whether the platform should step in for an agent that ought to run and does not: a restart, with growing rests, and a
 * quarantine when restarts do not help.
 * @param jitter in [0, 1): lengthens the rest by up to a fifth, so that a herd does not restart at once
 */
export function recoveryOf(
  facts: RecoveryFacts,
  nowMs: number,
  jitter: number,
  policy: RecoveryPolicy = RECOVERY,
): Recovery | undefined {
  if (facts.desired !== AgentState.RUNNING || facts.restartPending) return undefined;
  const trouble = troubleOf(facts, policy);
  if (!trouble) return undefined;
  const recent = facts.attemptsAtMs.filter((atMs) => nowMs - atMs < policy.windowMs);
  const last = recent.at(-1);
  if (last !== undefined) {
    const restMs = policy.restMs * 2 ** (recent.length - 1) * (1 + jitter / 5);
    if (nowMs - last < restMs) return undefined;
  }
  const count = recent.length;
  if (count >= policy.budget) {
    return {
      step: 'quarantine',
      reason: `${trouble}, after ${count} restarts in ${policy.windowMs / 60_000} minutes`,
    };
  }
  return { step: 'restart', reason: `${trouble} (restart ${count + 1} of ${policy.budget})` };
}

function troubleOf(facts: RecoveryFacts, policy: RecoveryPolicy): string | undefined {
  if (facts.presence === AgentPresence.OFFLINE) return 'it went silent';
  if (facts.state === AgentState.FAILED) return 'it failed';
  if (facts.criticalBeats >= policy.criticalBeats) return `its health was CRITICAL for ${facts.criticalBeats} beats`;
  return undefined;
}
