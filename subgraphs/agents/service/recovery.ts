import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { Attempt } from '../entity/attempt.ts';
import { AgentState } from '../entity/enums.ts';
import {
  RecoveryAction,
  RecoveryMode,
  type RecoveryPolicy,
  type RecoveryStep,
  RecoveryTrouble,
} from '../entity/recovery.ts';
import { acuteEnough } from './acute.ts';

/** What a policy decides by. */
export interface RecoveryFacts {
  state: AgentState;
  desired: AgentState;
  presence: AgentPresence;
  /** Beats in a row with a score below 50. */
  criticalBeats: number;
  /** Beats in a row with a score below 80. */
  degradedBeats: number;
  /** Beats in a row that were CRITICAL by themselves, without those before them. */
  acuteBeats: number;
  /** Whether a restart that was asked for is still under way. */
  restartPending: boolean;
  /** Steps that were taken, oldest first. */
  attempts: readonly Attempt[];
  /** Times of its restarts, epoch milliseconds. */
  restartsAtMs: readonly number[];
  /** Steps up to this time are forgotten: it was well for the cool-down since; epoch milliseconds. */
  forgivenMs: number;
  /** What it spent within the hour, as a share of its budget; 0 without one. */
  spentShare: number;
  /** The configuration to go back to, when the present one was never seen to do well and an earlier one was. */
  provenConfig: number | undefined;
  /** The name of the agent that its trouble comes from, when that is another. */
  cause: string | undefined;
  /** The name of an agent that it depends on and that is unwell now, before that is known for the cause. */
  unwellNeed: string | undefined;
}

/** What follows for one agent. */
export type Decision =
  | { outcome: 'leave' }
  /** Something is wrong, and now is not the time. With `about` it is worth telling, once for each `about`. */
  | { outcome: 'wait'; reason: string; about?: string }
  | { outcome: 'step'; action: RecoveryAction; trouble: RecoveryTrouble; reason: string; isDisruptive: boolean };

const LEAVE: Decision = { outcome: 'leave' };
/** So many restarts within so long are a crash loop, whoever restarts it. */
export const LOOP_RESTARTS = 5;
const LOOP_MS = 2 * 60_000;
/** Steps that end in a person's hands: they are not used up, for only a person lets the agent out again. */
const LAST: readonly RecoveryAction[] = [RecoveryAction.PAUSE, RecoveryAction.QUARANTINE];

/** Troubles that another agent's may be the cause of. */
const UNWELL: readonly RecoveryTrouble[] = [RecoveryTrouble.CRITICAL, RecoveryTrouble.DEGRADED];
const RESTARTING: readonly RecoveryAction[] = [
  RecoveryAction.RESTART,
  RecoveryAction.RESTART_DEPENDANTS,
  RecoveryAction.ROLLBACK_CONFIG,
];

const WORDS: Record<RecoveryAction, string> = {
  RESTART: 'restart',
  RESTART_DEPENDANTS: 'restart with its dependants',
  ROLLBACK_CONFIG: 'roll back of its configuration',
  PAUSE: 'pause',
  QUARANTINE: 'quarantine',
  PAGE: 'page',
};

/**
 * What to do for an agent that ought to work and does not: the first rung of its policy's ladder that is not used up, with
 * growing rests between. After Erlang/OTP's supervisors (intensity and period) and Kubernetes' restart back-off.
 * @param jitter in [0, 1): lengthens the rest by up to the policy's share, so that a herd does not restart at once
 */
export function recoveryOf(facts: RecoveryFacts, policy: RecoveryPolicy, nowMs: number, jitter: number): Decision {
  if (policy.mode === RecoveryMode.OFF || facts.desired !== AgentState.RUNNING || facts.restartPending) return LEAVE;
  const trouble = troubleOf(facts, policy, nowMs);
  if (!trouble) return LEAVE;
  const { kind, sentence } = trouble;
  if (UNWELL.includes(kind) && facts.cause !== undefined) {
    return wait(`${sentence}, and the cause is ${facts.cause}: that is healed first`, `cause ${facts.cause}`);
  }
  if (trouble.isAcute && facts.unwellNeed !== undefined) {
    return wait(`${sentence}, and ${facts.unwellNeed}, which it depends on, is unwell too: that is looked at first`);
  }
  const recent = remembered(facts, policy, nowMs);
  const restMs = restLeftMs(recent, policy, nowMs, jitter);
  if (restMs > 0) return wait(`${sentence}; the next step is ${Math.ceil(restMs / 1_000)} s away`);
  const rung = rungOf(policy, kind, recent, facts);
  if (!rung) return wait(`${sentence}, and the policy ${policy.name} has no step left for it`, 'no step left');
  const { action } = rung.step;
  return {
    outcome: 'step',
    action,
    trouble: kind,
    reason: `${sentence}${explained(rung, recent, policy, facts)}`,
    isDisruptive: isDisruptive(action, facts),
  };
}

/** Steps of the window that still count; what was only told does not, once the policy acts. */
function remembered({ attempts, forgivenMs }: RecoveryFacts, policy: RecoveryPolicy, nowMs: number): Attempt[] {
  const isReal = policy.mode === RecoveryMode.ACT;
  return attempts.filter(
    ({ atMs, observed }) => nowMs - atMs < policy.windowMs && atMs > forgivenMs && !(isReal && observed),
  );
}

function restLeftMs(recent: readonly Attempt[], policy: RecoveryPolicy, nowMs: number, jitter: number): number {
  const last = recent.at(-1);
  if (!last) return 0;
  const restMs = Math.min(policy.maxRestMs, policy.restMs * 2 ** (recent.length - 1));
  return last.atMs + restMs * (1 + jitter * policy.jitter) - nowMs;
}

interface Rung {
  step: RecoveryStep;
  /** How often it was taken before. */
  used: number;
}

function rungOf(
  policy: RecoveryPolicy,
  trouble: RecoveryTrouble,
  recent: readonly Attempt[],
  facts: RecoveryFacts,
): Rung | undefined {
  const left = new Map<RecoveryAction, number>();
  for (const { step } of recent) left.set(step, (left.get(step) ?? 0) + 1);
  for (const step of policy.steps) {
    if (!step.on.includes(trouble)) continue;
    if (step.action === RecoveryAction.ROLLBACK_CONFIG && facts.provenConfig === undefined) continue;
    // There is no such move in an agent's life.
    if (step.action === RecoveryAction.PAUSE && facts.state === AgentState.FAILED) continue;
    const used = LAST.includes(step.action) && policy.mode === RecoveryMode.ACT ? 0 : (left.get(step.action) ?? 0);
    if (used < step.attempts) return { step, used };
    // The same action may be on a later rung again: what this one used is this one's.
    left.set(step.action, used - step.attempts);
  }
  return undefined;
}

function explained(
  { step, used }: Rung,
  recent: readonly Attempt[],
  policy: RecoveryPolicy,
  facts: RecoveryFacts,
): string {
  const minutes = `${Math.round(policy.windowMs / 6_000) / 10} minutes`;
  if (LAST.includes(step.action)) {
    const restarts = recent.filter((attempt) => attempt.step === RecoveryAction.RESTART).length;
    if (!recent.length) return '';
    const tried = restarts === recent.length ? `${restarts} restarts` : `${recent.length} steps`;
    return `, after ${tried} in ${minutes}`;
  }
  const to = step.action === RecoveryAction.ROLLBACK_CONFIG ? ` to version ${facts.provenConfig}` : '';
  return ` (${WORDS[step.action]}${to} ${used + 1} of ${step.attempts})`;
}

/** Whether a step takes an agent from work that it still does: such steps have a blast radius. */
function isDisruptive(action: RecoveryAction, { presence, state }: RecoveryFacts): boolean {
  if (action === RecoveryAction.PAGE) return false;
  if (action === RecoveryAction.QUARANTINE) return true;
  return presence !== AgentPresence.OFFLINE && state !== AgentState.FAILED;
}

/**
 * Whether a step would take too many of a kind from their work.
 * @param size how many agents of the kind there are
 * @param disturbed how many others of it recoveries hold or have disturbed, and that are not well yet
 * @returns why it must wait; undefined when it need not
 */
export function heldBy(policy: RecoveryPolicy, kind: string, size: number, disturbed: number): string | undefined {
  const most = blastRadius(policy, size);
  if (disturbed < most) return undefined;
  return `${disturbed} of ${size} agents of kind ${kind} are being healed, and no more than ${most} may be at a time`;
}

/** How many of a kind a policy may take from their work at a time: always one. */
export const blastRadius = (policy: RecoveryPolicy, size: number): number =>
  Math.max(1, Math.floor(size * policy.maxShare));

interface Trouble {
  kind: RecoveryTrouble;
  sentence: string;
  /** It was told sooner than a score over five beats would: what may explain it otherwise is heeded first. */
  isAcute?: boolean;
}

/** What is wrong with an agent that is asked to run; the gravest first. */
export function troubleOf(
  facts: Pick<
    RecoveryFacts,
    'state' | 'presence' | 'criticalBeats' | 'degradedBeats' | 'acuteBeats' | 'restartsAtMs' | 'attempts' | 'spentShare'
  >,
  policy: Pick<RecoveryPolicy, 'criticalBeats' | 'degradedBeats' | 'steps'>,
  nowMs: number,
): Trouble | undefined {
  const { SILENT, FAILED, CRASH_LOOP, OVERSPENT, CRITICAL, DEGRADED } = RecoveryTrouble;
  const crashes = crashesOf(facts, nowMs);
  if (crashes >= LOOP_RESTARTS)
    return { kind: CRASH_LOOP, sentence: `it was started anew ${crashes} times in 2 minutes, unasked` };
  // Who said that it has stopped, and is gone then, has left in order: whoever runs the program starts it again.
  const hasLeft = facts.state === AgentState.STOPPED;
  if (facts.presence === AgentPresence.OFFLINE && !hasLeft) return { kind: SILENT, sentence: 'it went silent' };
  if (facts.state === AgentState.FAILED) return { kind: FAILED, sentence: 'it failed' };
  if (facts.spentShare >= 1)
    return { kind: OVERSPENT, sentence: `it spent ${Math.round(facts.spentShare * 100)} % of its budget of an hour` };
  if (facts.criticalBeats >= policy.criticalBeats)
    return { kind: CRITICAL, sentence: `its health was CRITICAL for ${facts.criticalBeats} beats` };
  if (facts.acuteBeats >= acuteEnough(policy.criticalBeats))
    return {
      kind: CRITICAL,
      sentence: `${facts.acuteBeats} beats in a row were CRITICAL by themselves`,
      isAcute: true,
    };
  // Policies that say nothing of it bear it: being slow is no reason for what nobody asked for.
  const isSpoken = policy.steps.some(({ on }) => on.includes(DEGRADED));
  if (isSpoken && facts.degradedBeats >= policy.degradedBeats)
    return { kind: DEGRADED, sentence: `its health was DEGRADED for ${facts.degradedBeats} beats` };
  return undefined;
}

/** Restarts that no recovery asked for. */
function crashesOf(
  { restartsAtMs, attempts }: Pick<RecoveryFacts, 'restartsAtMs' | 'attempts'>,
  nowMs: number,
): number {
  const isLate = (atMs: number) => nowMs - atMs < LOOP_MS;
  const asked = attempts.filter(({ step, atMs, observed }) => RESTARTING.includes(step) && isLate(atMs) && !observed);
  return restartsAtMs.filter(isLate).length - asked.length;
}

const wait = (reason: string, about?: string): Decision => ({ outcome: 'wait', reason, ...(about ? { about } : {}) });
