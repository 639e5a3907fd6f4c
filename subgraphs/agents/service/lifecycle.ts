import { FleetError } from '../../../lib/errors.ts';
import { AgentState } from '../entity/enums.ts';

/** What a caller may do to an agent's life. */
export type LifeAction = 'start' | 'pause' | 'resume' | 'restart' | 'stop' | 'quarantine' | 'release' | 'retire';

/** What is asked of an agent, what it last said itself, and what was asked before a quarantine. */
export interface Life {
  desired: AgentState;
  reported: AgentState;
  /** What was desired when the quarantine began; null outside one. */
  held: AgentState | null;
}

const { REGISTERED, STARTING, RUNNING, PAUSED, STOPPING, STOPPED, FAILED, QUARANTINED, RETIRED } = AgentState;
const ALL = Object.values(AgentState);
const but = (...states: AgentState[]) => ALL.filter((state) => !states.includes(state));

interface Rule {
  /** What is desired next; undefined: what was before the quarantine. */
  to: AgentState | undefined;
  /** By what is desired now, from which reported states the move exists. */
  from: Partial<Record<AgentState, readonly AgentState[]>>;
  /** Said behind "agent x cannot be …". */
  participle: string;
}

/** Every move of an agent's life (docs/lifecycle.md draws it). What has no row here is refused with CONFLICT. */
export const MOVES: Record<LifeAction, Rule> = {
  start: {
    to: RUNNING,
    from: { RUNNING: [REGISTERED, STOPPING, STOPPED, FAILED], PAUSED: [REGISTERED, STOPPED, FAILED], STOPPED: ALL },
    participle: 'started',
  },
  pause: { to: PAUSED, from: { RUNNING: but(FAILED) }, participle: 'paused' },
  resume: { to: RUNNING, from: { PAUSED: ALL, RUNNING: [PAUSED] }, participle: 'resumed' },
  restart: { to: RUNNING, from: { RUNNING: ALL, PAUSED: ALL }, participle: 'restarted' },
  stop: { to: STOPPED, from: { RUNNING: ALL, PAUSED: ALL }, participle: 'stopped' },
  quarantine: { to: QUARANTINED, from: { RUNNING: ALL, PAUSED: ALL, STOPPED: ALL }, participle: 'quarantined' },
  release: { to: undefined, from: { QUARANTINED: ALL }, participle: 'released' },
  retire: {
    to: RETIRED,
    from: { RUNNING: ALL, PAUSED: ALL, STOPPED: ALL, QUARANTINED: ALL },
    participle: 'retired',
  },
};

/** The state that the fleet sees: the platform's word on what is fenced off or over, else the agent's own. */
export function observedState(desired: AgentState, reported: AgentState): AgentState {
  if (desired === QUARANTINED || desired === RETIRED) return desired;
  // Only the platform ends a life: an agent that says so has stopped.
  return reported === RETIRED ? STOPPED : reported;
}

/** Why a life has no such move, as said behind an agent's name; undefined when it has it. */
export function refusalOf(life: Life, action: LifeAction): string | undefined {
  const rule = MOVES[action];
  if (rule.from[life.desired]?.includes(life.reported)) return undefined;
  const state = observedState(life.desired, life.reported);
  const asked = life.desired === state ? '' : ` and is asked to be ${life.desired}`;
  const open = actionsOf(life);
  const hint = open.length
    ? `it can be ${open.map((known) => MOVES[known].participle).join(', ')}`
    : 'its life is over';
  return `is ${state}${asked}: it cannot be ${rule.participle}, ${hint}`;
}

/**
 * The life after an action.
 * @throws CONFLICT when the life has no such move, with `state`, `desiredState` and the moves it does have
 */
export function move(name: string, life: Life, action: LifeAction): Life {
  const refusal = refusalOf(life, action);
  if (refusal) {
    const state = observedState(life.desired, life.reported);
    throw new FleetError('CONFLICT', `agent ${name} ${refusal}`, { state, desiredState: life.desired });
  }
  const desired = MOVES[action].to ?? life.held ?? RUNNING;
  return { desired, reported: life.reported, held: action === 'quarantine' ? life.desired : null };
}

/** The moves this life has now. */
export function actionsOf(life: Life): LifeAction[] {
  return (Object.keys(MOVES) as LifeAction[]).filter((action) =>
    MOVES[action].from[life.desired]?.includes(life.reported),
  );
}

/** Commands that tell an agent at once what the answer to its next beat would ask of it. */
export const LIFE_COMMANDS = ['start', 'pause', 'resume', 'restart', 'stop'] as const;

/** The command that goes with an action, by what is desired after it. */
export function commandOf(action: LifeAction, desired: AgentState): (typeof LIFE_COMMANDS)[number] {
  if (action === 'start' || action === 'restart') return action;
  if (desired === RUNNING) return 'resume';
  return desired === PAUSED || desired === QUARANTINED ? 'pause' : 'stop';
}

/** Whether an agent that is asked to be this may be sent work: one that is kept from it, or whose life is over, may not. */
export function takesCommands(desired: AgentState): boolean {
  return desired !== QUARANTINED && desired !== RETIRED;
}

/** States in which an agent's process is at work or was when it went silent: registering again from one is a restart. */
export function wasAtWork(reported: AgentState): boolean {
  return [STARTING, RUNNING, PAUSED, STOPPING, FAILED, QUARANTINED].includes(reported);
}
