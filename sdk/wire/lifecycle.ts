/** Where an agent is in its life (docs/lifecycle.md). */
export type AgentState =
  | 'REGISTERED'
  | 'STARTING'
  | 'RUNNING'
  | 'PAUSED'
  | 'STOPPING'
  | 'STOPPED'
  | 'FAILED'
  | 'QUARANTINED'
  | 'RETIRED';

/** What an agent's own code is told to do. */
export type Step = 'start' | 'pause' | 'resume' | 'stop';

/** The hooks before and after each step. */
const AROUND = {
  start: ['beforeStart', 'afterStart'],
  pause: ['beforePause', 'afterPause'],
  resume: ['beforeResume', 'afterResume'],
  stop: ['beforeStop', 'afterStop'],
} as const;

export function aroundStep(step: Step): (typeof AROUND)[Step] {
  return AROUND[step];
}

/** A way from one state to another: the code's part of it, and the states it is seen in. */
export interface Move {
  /** Nothing for the code to do where it is at rest already. */
  step?: Step;
  /** The state it is seen in on the way. */
  through?: AgentState;
  /** The state it comes to. */
  to: AgentState;
}

/** How every agent comes up. */
export const START: Move = { step: 'start', through: 'STARTING', to: 'RUNNING' };
const RESUME: Move = { step: 'resume', to: 'RUNNING' };
const PAUSE: Move = { step: 'pause', to: 'PAUSED' };
const STOP: Move = { step: 'stop', through: 'STOPPING', to: 'STOPPED' };
const FENCE: Move = { step: 'pause', to: 'QUARANTINED' };
const RETIRE: Move = { step: 'stop', to: 'RETIRED' };
const REST_PAUSED: Move = { to: 'PAUSED' };
const REST_FENCED: Move = { to: 'QUARANTINED' };
const REST_RETIRED: Move = { to: 'RETIRED' };

/** Commands by which the platform hastens what the next beat's answer would ask for. */
export const ASKED_BY: Readonly<Record<string, AgentState>> = {
  start: 'RUNNING',
  resume: 'RUNNING',
  pause: 'PAUSED',
  stop: 'STOPPED',
};

const MOVES: Partial<Record<AgentState, Partial<Record<AgentState, Move>>>> = {
  RUNNING: { REGISTERED: START, STOPPED: START, FAILED: START, PAUSED: RESUME, QUARANTINED: RESUME },
  PAUSED: { RUNNING: PAUSE, QUARANTINED: REST_PAUSED },
  STOPPED: { REGISTERED: STOP, RUNNING: STOP, PAUSED: STOP, FAILED: STOP, QUARANTINED: STOP },
  // One that is at rest stays as it is: released, it is to be started, not resumed.
  QUARANTINED: { RUNNING: FENCE, PAUSED: REST_FENCED },
  RETIRED: {
    REGISTERED: RETIRE,
    RUNNING: RETIRE,
    PAUSED: RETIRE,
    STOPPED: REST_RETIRED,
    FAILED: RETIRE,
    QUARANTINED: RETIRE,
  },
};

/** What leads from what is to what is asked; undefined when nothing does, or nothing is needed. */
export function moveTowards(observed: AgentState, desired: AgentState): Move | undefined {
  return MOVES[desired]?.[observed];
}
