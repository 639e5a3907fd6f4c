import { RolloutPhase } from '../../entity/rollout-enums.ts';

/** One agent's part in a rollout. */
export interface Member {
  agent: string;
  stage: number;
  phase: RolloutPhase;
  /** When it was asked last to change, epoch milliseconds. */
  sentMs: number | null;
  /** When it came up on the new version. */
  readyMs: number | null;
  /** Since when it is lost. */
  lostMs: number | null;
  /** What it had. */
  fromVersion: string;
}

/** What is seen of an agent now. */
export interface Sight {
  version: string;
  /** Heard, and in the state it is asked to be in. */
  isWell: boolean;
  /** It said itself that it failed, or that the change did. */
  hasFailed: boolean;
  /** How often it was restarted since it came up on the new version. */
  restarts: number;
}

export type Sights = ReadonlyMap<string, Sight>;

const { WAITING, SENT, READY, LOST, BACK_SENT, BACK, GONE } = RolloutPhase;

/** Members that have, or may have, the new version. */
export const TOUCHED: readonly RolloutPhase[] = [SENT, READY, LOST];
/** How long an agent on the new version may be unheard before it counts as lost, milliseconds. */
export const SILENCE_MS = 15_000;

/** The member as it is now seen. */
export function observed(member: Member, sight: Sight | undefined, to: string, readyMs: number, nowMs: number): Member {
  const { phase } = member;
  if (!sight) return phase === BACK || phase === GONE ? member : { ...member, phase: GONE };
  const isUp = sight.version === to && sight.isWell && !sight.hasFailed;
  if (phase === SENT) {
    if (isUp) return { ...member, phase: READY, readyMs: nowMs, lostMs: null };
    const isLate = nowMs - (member.sentMs ?? nowMs) > readyMs;
    return sight.hasFailed || isLate ? { ...member, phase: LOST, lostMs: nowMs } : member;
  }
  if (phase === READY) {
    if (sight.hasFailed) return { ...member, phase: LOST, lostMs: nowMs };
    if (isUp) return member.lostMs === null ? member : { ...member, lostMs: null };
    const lostMs = member.lostMs ?? nowMs;
    return { ...member, lostMs, phase: nowMs - lostMs > SILENCE_MS ? LOST : READY };
  }
  if (phase === LOST && isUp) return { ...member, phase: READY, readyMs: member.readyMs ?? nowMs, lostMs: null };
  if (phase === BACK_SENT && sight.version === member.fromVersion && sight.isWell) return { ...member, phase: BACK };
  // One that comes with the new version by itself has it.
  if (phase === WAITING && isUp && member.fromVersion !== to) return { ...member, phase: READY, readyMs: nowMs };
  return member;
}
