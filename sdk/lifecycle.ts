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

/** A way from one state to another: the code's part of it, and the states it is seen in. */
export interface Move {
  step: Step;
  through?: AgentState;
  to: AgentState;
}

/** How every agent comes up. */
export const START: Move = { step: 'start', through: 'STARTING', to: 'RUNNING' };
const RESUME: Move = { step: 'resume', to: 'RUNNING' };
const PAUSE: Move = { step: 'pause', to: 'PAUSED' };
const STOP: Move = { step: 'stop', through: 'STOPPING', to: 'STOPPED' };
const FENCE: Move = { step: 'pause', to: 'QUARANTINED' };
const RETIRE: Move = { step: 'stop', to: 'RETIRED' };

const MOVES: Partial<Record<AgentState, Partial<Record<AgentState, Move>>>> = {
  RUNNING: { REGISTERED: START, STOPPED: START, FAILED: START, PAUSED: RESUME, QUARANTINED: RESUME },
  PAUSED: { RUNNING: PAUSE },
  STOPPED: { REGISTERED: STOP, RUNNING: STOP, PAUSED: STOP, FAILED: STOP, QUARANTINED: STOP },
  QUARANTINED: { RUNNING: FENCE, PAUSED: FENCE, FAILED: FENCE },
  RETIRED: {
    REGISTERED: RETIRE,
    RUNNING: RETIRE,
    PAUSED: RETIRE,
    STOPPED: RETIRE,
    FAILED: RETIRE,
    QUARANTINED: RETIRE,
  },
};

/** What leads from what is to what is asked; undefined when nothing does, or nothing is needed. */
export function moveTowards(observed: AgentState, desired: AgentState): Move | undefined {
  return MOVES[desired]?.[observed];
}
