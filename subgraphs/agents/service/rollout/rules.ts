import { FleetError } from '../../../../lib/errors.ts';
import { RolloutPhase, RolloutState } from '../../entity/rollout-enums.ts';
import type { Verdict } from './gate.ts';
import { guardOf } from './guard.ts';
import type { Look } from './look.ts';
import { type Member, observed, type Sights, TOUCHED } from './members.ts';
import type { Plan } from './plan.ts';

/** Where a rollout is: all that must outlive the process, with its members. */
export interface Life {
  state: RolloutState;
  /** 0 is the canary. */
  stage: number;
  /** When it came into this state and stage, epoch milliseconds. */
  sinceMs: number;
  /** Since when those that have the old version are watched for this stage. */
  measuredMs: number | null;
  /** When all of the stage was up. */
  bakingMs: number | null;
  /** How often the evidence was looked at, and on how many beats last. */
  looks: number;
  lookedBeats: number;
  /** What a pause goes back to. */
  heldState: RolloutState | null;
  /** Whether a person said that the stage is good enough. */
  isPromoted: boolean;
  /** What the taking back leads to. */
  end: RolloutState | null;
  reason: string;
  /** What the last look left open. */
  open: string | null;
  /** Whether what is open is enough to speak against it in the end. */
  isSuspect: boolean;
}

export type RolloutEvent =
  | { kind: 'tick'; sights: Sights; look: Look | null }
  | { kind: 'pause' | 'abort'; reason: string }
  | { kind: 'resume'; reason: string; promote: boolean };

/** What follows for agents. */
export type Effect = { kind: 'upgrade' | 'revert'; agent: string };

export interface Rolling {
  life: Life;
  members: readonly Member[];
}

export interface Step extends Rolling {
  effects: Effect[];
}

const { SCHEDULED, BASELINE, CANARY, WAVE, PAUSED, REVERTING, REVERTED, ABORTED, SUCCEEDED } = RolloutState;
const { WAITING, SENT, READY, LOST, BACK_SENT, BACK } = RolloutPhase;
export const ENDED: readonly RolloutState[] = [REVERTED, ABORTED, SUCCEEDED];

/** How a rollout begins. */
export function lifeOf(nowMs: number, reason: string): Life {
  const none = {
    bakingMs: null,
    measuredMs: null,
    heldState: null,
    end: null,
    isPromoted: false,
    open: null,
    isSuspect: false,
  };
  return { state: SCHEDULED, stage: 0, sinceMs: nowMs, looks: 0, lookedBeats: 0, reason, ...none };
}

/**
 * What an event makes of a rollout.
 * @throws CONFLICT when what a person asks is not possible now
 */
export function step(plan: Plan, to: string, { life, members }: Rolling, event: RolloutEvent, nowMs: number): Step {
  if (event.kind === 'tick') return tick(plan, to, { life, members }, event, nowMs);
  if (ENDED.includes(life.state)) refuse(life.state, event.kind);
  const told = { sinceMs: nowMs, reason: event.reason };
  if (event.kind === 'abort') {
    if (life.state === REVERTING) refuse(life.state, event.kind);
    return takeBack({ life, members }, ABORTED, event.reason, nowMs);
  }
  if (event.kind === 'pause') {
    if (life.state === PAUSED || life.state === REVERTING) refuse(life.state, event.kind);
    return { life: { ...life, ...told, state: PAUSED, heldState: life.state }, members, effects: [] };
  }
  const isResumed = life.state === PAUSED;
  const promote = event.kind === 'resume' && event.promote;
  const canPromote = promote && [CANARY, WAVE].includes(isResumed ? (life.heldState as RolloutState) : life.state);
  if (!isResumed && !canPromote) refuse(life.state, event.kind);
  const state = isResumed ? (life.heldState as RolloutState) : life.state;
  return { life: { ...life, ...told, state, heldState: null, isPromoted: canPromote }, members, effects: [] };
}

function refuse(state: RolloutState, verb: string): never {
  throw new FleetError('CONFLICT', `this rollout is ${state}: there is nothing to ${verb}`, { field: ['id'], state });
}

function tick(
  plan: Plan,
  to: string,
  { life, members: before }: Rolling,
  { sights, look }: { sights: Sights; look: Look | null },
  nowMs: number,
): Step {
  if (ENDED.includes(life.state)) return { life, members: before, effects: [] };
  const members = before.map((member) => observed(member, sights.get(member.agent), to, plan.readyMs, nowMs));
  const rolling = { life: look ? looked(life, look) : life, members };
  if (life.state === REVERTING) return reverting(plan, rolling, nowMs);
  const harm = guardOf(plan, members, sights) ?? harmOf(look?.verdict);
  if (harm) return takeBack(rolling, REVERTED, harm, nowMs);
  if (life.state === SCHEDULED)
    return nowMs >= plan.startAtMs ? enter(rolling, BASELINE, 0, 'its time has come', nowMs) : still(rolling);
  if (life.state === BASELINE) {
    const isOver = nowMs - life.sinceMs >= plan.baselineMs;
    return isOver
      ? advance(plan, enter(rolling, CANARY, 0, 'the baseline is measured', nowMs), sights, null, nowMs)
      : still(rolling);
  }
  return life.state === PAUSED ? still(rolling) : advance(plan, rolling, sights, look?.verdict ?? null, nowMs);
}

function looked(life: Life, { verdict, beats }: Look): Life {
  const open = verdict.findings.find(({ outcome }) => outcome === 'WAIT')?.sentence ?? null;
  const isSuspect = verdict.findings.some((finding) => finding.isSuspect);
  return { ...life, looks: life.looks + 1, lookedBeats: beats, open, isSuspect };
}

const still = ({ life, members }: Rolling): Step => ({ life, members, effects: [] });

function enter({ life, members }: Rolling, state: RolloutState, stage: number, reason: string, nowMs: number): Step {
  const fresh = { sinceMs: nowMs, measuredMs: nowMs, bakingMs: null, isPromoted: false, reason, lookedBeats: 0 };
  return { life: { ...life, ...fresh, state, stage }, members, effects: [] };
}

function harmOf(verdict: Verdict | undefined): string | undefined {
  return verdict?.findings.find(({ outcome }) => outcome === 'HARM')?.sentence;
}

/** Sends the stage's next agents, watches those that have it, and goes on when the evidence lets it. */
function advance(plan: Plan, { life, members }: Rolling, sights: Sights, verdict: Verdict | null, nowMs: number): Step {
  const upTo = members.filter(({ stage }) => stage <= life.stage);
  const room = plan.maxUnavailable - members.filter(({ phase }) => phase === SENT || phase === LOST).length;
  // One that is not there is not waited for: it is asked at the end, and finds it when it is back.
  const waiting = upTo.filter(({ phase, agent }) => phase === WAITING && sights.get(agent)?.isWell);
  const next = waiting.slice(0, Math.max(0, room));
  if (next.length) {
    const sent = new Set(next.map(({ agent }) => agent));
    const after = members.map((member) =>
      sent.has(member.agent) ? { ...member, phase: SENT, sentMs: nowMs } : member,
    );
    return {
      life: { ...life, bakingMs: null },
      members: after,
      effects: next.map(({ agent }) => ({ kind: 'upgrade', agent })),
    };
  }
  const isUp = !waiting.length && upTo.every(({ phase }) => phase !== SENT);
  const bakingMs = isUp ? (life.bakingMs ?? nowMs) : null;
  const baked = { life: { ...life, bakingMs }, members };
  if (life.isPromoted && isUp) return promote(plan, baked, sights, 'a person said it is good', nowMs);
  const isBaked = bakingMs !== null && nowMs - bakingMs >= plan.bakeMs && upTo.some(({ phase }) => phase === READY);
  if (isBaked && mayPass(life, verdict) && !upTo.some(({ phase }) => phase === LOST)) {
    return promote(plan, baked, sights, `${nameOf(life.stage)} is as good as the others`, nowMs);
  }
  if (nowMs - life.sinceMs <= plan.deadlineMs) return still(baked);
  const reason = `${nameOf(life.stage)} is still undecided: ${life.open ?? 'some agents are not up'}`;
  // It had all the time there is to show that this was bad luck.
  if (life.isSuspect) return takeBack(baked, REVERTED, reason, nowMs);
  return {
    life: { ...baked.life, state: PAUSED, heldState: life.state, sinceMs: nowMs, reason },
    members,
    effects: [],
  };
}

/** The canary must prove itself; a wave must only do no harm, with so many watched. */
function mayPass({ stage }: Life, verdict: Verdict | null): boolean {
  return verdict?.outcome === 'PASS' || (stage > 0 && verdict?.outcome !== 'HARM');
}

const nameOf = (stage: number) => (stage ? `wave ${stage}` : 'the canary');

function promote(plan: Plan, rolling: Rolling, sights: Sights, reason: string, nowMs: number): Step {
  const { stage } = rolling.life;
  if (stage + 1 >= plan.sizes.length) {
    const rest = rolling.members.filter(({ phase }) => phase === WAITING);
    const effects = rest.map(({ agent }): Effect => ({ kind: 'upgrade', agent }));
    return { ...enter(rolling, SUCCEEDED, stage, reason, nowMs), effects };
  }
  return advance(plan, enter(rolling, WAVE, stage + 1, reason, nowMs), sights, null, nowMs);
}

function takeBack({ life, members }: Rolling, end: RolloutState, reason: string, nowMs: number): Step {
  const touched = members.filter(({ phase }) => TOUCHED.includes(phase));
  const back = members.map((member) =>
    TOUCHED.includes(member.phase) ? { ...member, phase: BACK_SENT, sentMs: nowMs } : member,
  );
  const state = touched.length ? REVERTING : end;
  const told = { state, end, reason, sinceMs: nowMs, heldState: null, bakingMs: null };
  return {
    life: { ...life, ...told },
    members: back,
    effects: touched.map(({ agent }) => ({ kind: 'revert', agent })),
  };
}

/** Ends when all are back; who is not by then is left to the repair of drift. */
function reverting(plan: Plan, { life, members }: Rolling, nowMs: number): Step {
  const open = members.filter(({ phase }) => phase === BACK_SENT).length;
  if (open && nowMs - life.sinceMs <= plan.readyMs * 2) return still({ life, members });
  const back = members.filter(({ phase }) => phase === BACK).length;
  const reason = open ? `${life.reason} (${back} are back, ${open} have not said so)` : life.reason;
  return { life: { ...life, state: life.end as RolloutState, sinceMs: nowMs, reason }, members, effects: [] };
}
