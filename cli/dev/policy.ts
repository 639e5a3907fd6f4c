/** Where an agent's program is. `resting`: it ended by itself and waits for a change; `gone`: it will not run again. */
export type Phase = 'waiting' | 'starting' | 'running' | 'stopping' | 'resting' | 'gone';

export interface ProgramState {
  phase: Phase;
  isClosing: boolean;
  /** Why the start that is under way is made; undefined for the first one. */
  cause: Change | undefined;
  /** What changed since that start, and is in no process yet. */
  pending: Change | undefined;
}

/** Files that changed, and when the first of them did, epoch milliseconds. */
export interface Change {
  files: readonly string[];
  sinceMs: number;
}

export type ProgramEvent =
  | { kind: 'start' }
  | { kind: 'changed'; files: readonly string[] }
  | { kind: 'started'; pid: number }
  /** It could not even be started. */
  | { kind: 'failed'; reason: string }
  | { kind: 'ended'; code: number; signal: string | null; said: string }
  | { kind: 'close' }
  /** Whoever asked for the end asks again. */
  | { kind: 'hurry' };

export type ProgramEffect =
  | { do: 'start' }
  | { do: 'stop' }
  | { do: 'kill' }
  | { do: 'tell'; what: 'started'; pid: number; files: readonly string[]; tookMs: number | null }
  | { do: 'tell'; what: 'broken'; reason: string; said: string }
  | { do: 'tell'; what: 'ended' };

export const FRESH: ProgramState = {
  phase: 'waiting',
  isClosing: false,
  cause: undefined,
  pending: undefined,
};

type Stepped = [ProgramState, ProgramEffect[]];

/**
 * When an agent's program is started, stopped and left alone. A change restarts it; an end of its own accord, good or bad, is told
 * once and waits for the next change: a start over and over would only scroll the error away.
 */
export function step(state: ProgramState, event: ProgramEvent, nowMs: number): Stepped {
  switch (event.kind) {
    case 'start':
      return state.phase === 'waiting' && !state.isClosing ? start(state) : [state, []];
    case 'changed':
      return changed(state, event.files, nowMs);
    case 'started':
      return started(state, event.pid, nowMs);
    case 'failed':
      return ended(state, { do: 'tell', what: 'broken', reason: event.reason, said: '' });
    case 'ended':
      return ended(state, toldOf(event));
    case 'close':
      return close({ ...state, isClosing: true });
    case 'hurry':
      return [state, isThere(state) ? [{ do: 'kill' }] : []];
  }
}

const isThere = ({ phase }: ProgramState) => phase === 'running' || phase === 'stopping';

function start(state: ProgramState): Stepped {
  return [{ ...state, phase: 'starting', cause: state.pending, pending: undefined }, [{ do: 'start' }]];
}

function changed(state: ProgramState, files: readonly string[], nowMs: number): Stepped {
  // Before its first start nothing is out of date yet.
  if (state.isClosing || state.phase === 'waiting' || state.phase === 'gone') return [state, []];
  const { files: known = [], sinceMs = nowMs } = state.pending ?? {};
  const next = { ...state, pending: { files: [...new Set([...known, ...files])], sinceMs } };
  if (state.phase === 'running') return [{ ...next, phase: 'stopping' }, [{ do: 'stop' }]];
  // One that is being started or stopped is started anew once that is done.
  return state.phase === 'resting' ? start(next) : [next, []];
}

function started(state: ProgramState, pid: number, nowMs: number): Stepped {
  if (state.isClosing || state.pending) return [{ ...state, phase: 'stopping' }, [{ do: 'stop' }]];
  const { cause } = state;
  const tookMs = cause ? nowMs - cause.sinceMs : null;
  const told = { do: 'tell', what: 'started', pid, files: cause?.files ?? [], tookMs } as const;
  return [{ ...state, phase: 'running', cause: undefined }, [told]];
}

function ended(state: ProgramState, told: ProgramEffect): Stepped {
  if (state.isClosing) return [{ ...state, phase: 'gone' }, []];
  if (state.pending) return start(state);
  return [{ ...state, phase: 'resting' }, [told]];
}

function toldOf({ code, signal, said }: Extract<ProgramEvent, { kind: 'ended' }>): ProgramEffect {
  if (code === 0) return { do: 'tell', what: 'ended' };
  return { do: 'tell', what: 'broken', reason: signal ? `ended by ${signal}` : `ended with ${code}`, said };
}

function close(state: ProgramState): Stepped {
  if (state.phase === 'running') return [{ ...state, phase: 'stopping' }, [{ do: 'stop' }]];
  // One that is being started is stopped as soon as it is there.
  return state.phase === 'starting' || state.phase === 'stopping' ? [state, []] : [{ ...state, phase: 'gone' }, []];
}
