export type BreakerPhase = 'CLOSED' | 'OPEN' | 'HALF_OPEN';
export type BreakerOverride = 'AUTO' | 'OPEN' | 'CLOSED';

/** When a breaker opens, and for how long. */
export interface BreakerPolicy {
  /** Outcomes are judged over this stretch of the past, milliseconds. */
  windowMs: number;
  /** Fewer outcomes than this in the window say nothing. */
  minimumCalls: number;
  /** Share of failures in the window that opens it, 0 to 1. */
  failureRatio: number;
  /**
   * As many failures in a row open it, whatever came before them in the window: one that hangs answers nothing, but the
   * answers it gave are still there, and few calls are let through to fail.
   */
  failuresInRow: number;
  /** The first rest; it doubles with every probe that fails, milliseconds. */
  restMs: number;
  /** The longest rest, milliseconds. */
  maxRestMs: number;
}

export const BREAKER_POLICY: BreakerPolicy = {
  windowMs: 10_000,
  minimumCalls: 5,
  failureRatio: 0.5,
  failuresInRow: 10,
  restMs: 500,
  // A process that was started again is to be found within a second: a probe costs one call.
  maxRestMs: 1_000,
};

/** Outcomes of one slice of the window. */
interface Slice {
  readonly startMs: number;
  readonly calls: number;
  readonly failures: number;
}

export interface BreakerState {
  readonly phase: BreakerPhase;
  readonly override: BreakerOverride;
  /** When an override by force ends by itself. */
  readonly overrideUntilMs: number | undefined;
  readonly sinceMs: number;
  readonly window: readonly Slice[];
  /** Failed calls since the last success in the window. */
  readonly failuresInRow: number;
  /** While OPEN: when one call is let through. */
  readonly nextProbeAtMs: number | undefined;
  /** While HALF_OPEN: whether the one probe is under way. */
  readonly probing: boolean;
  /** Probes in a row that failed. */
  readonly failedProbes: number;
  readonly reason: string | undefined;
}

export type BreakerEvent =
  /** A call asks to pass. Its effect says whether it may. */
  | { kind: 'asked' }
  /** `callers`: how many waited for the one call; it weighs as much as it meant to them. One unless given. */
  | { kind: 'succeeded'; probe: boolean; callers?: number }
  | { kind: 'failed'; probe: boolean; reason: string; callers?: number }
  /** The caller left before there was an outcome. */
  | { kind: 'abandoned'; probe: boolean }
  | { kind: 'forced'; override: BreakerOverride; untilMs?: number; reason: string }
  /** Another router saw it fail, or found it well again. */
  | { kind: 'told'; phase: 'OPEN' | 'CLOSED'; reason: string }
  /** Somebody reads the state: an override whose time is over has ended. */
  | { kind: 'looked' };

export type BreakerEffect =
  | { kind: 'admitted'; probe: boolean }
  | { kind: 'refused'; retryAfterMs: number }
  | { kind: 'moved'; from: BreakerPhase; to: BreakerPhase; reason: string };

type Step = readonly [BreakerState, readonly BreakerEffect[]];

const SLICES = 10;
const NOTHING: readonly BreakerEffect[] = [];
/** Made once: every call asks. */
const ADMITTED: readonly BreakerEffect[] = [{ kind: 'admitted', probe: false }];
/** What a refused caller is told while a probe is under way or the breaker is held open without an end. */
const ASK_AGAIN_MS = 1_000;

export function closedBreaker(nowMs: number): BreakerState {
  return {
    phase: 'CLOSED',
    override: 'AUTO',
    overrideUntilMs: undefined,
    sinceMs: nowMs,
    window: [],
    failuresInRow: 0,
    nextProbeAtMs: undefined,
    probing: false,
    failedProbes: 0,
    reason: undefined,
  };
}

/**
 * One step of a circuit breaker: a sliding window judged by its failure rate, and exactly one probe while half open.
 * Outcomes of calls that were admitted before it opened change nothing.
 */
export function stepBreaker(before: BreakerState, event: BreakerEvent, nowMs: number, policy: BreakerPolicy): Step {
  const isHeld = before.overrideUntilMs === undefined || nowMs < before.overrideUntilMs;
  if (isHeld) return react(before, event, nowMs, policy);
  const reason = 'the time of the override is over';
  const [state, effects] = force(before, { kind: 'forced', override: 'AUTO', reason }, nowMs);
  const [after, more] = react(state, event, nowMs, policy);
  return [after, [...effects, ...more]];
}

function react(state: BreakerState, event: BreakerEvent, nowMs: number, policy: BreakerPolicy): Step {
  switch (event.kind) {
    case 'asked':
      return ask(state, nowMs);
    case 'forced':
      return force(state, event, nowMs);
    case 'abandoned':
      return [event.probe ? { ...state, probing: false } : state, NOTHING];
    case 'told':
      return hear(state, event, nowMs, policy);
    case 'looked':
      return [state, NOTHING];
    default:
      return settle(state, event, nowMs, policy);
  }
}

/** The share of failures among the outcomes in the window, 0 to 1. */
export function failureRatio(state: BreakerState, nowMs: number, policy: BreakerPolicy): number {
  const { calls, failures } = outcomesOf(state, nowMs, policy);
  return calls === 0 ? 0 : failures / calls;
}

/** Outcomes in the window, and how many of them were failures. */
export function outcomesOf(
  state: BreakerState,
  nowMs: number,
  policy: BreakerPolicy,
): { calls: number; failures: number } {
  return sum(recent(state.window, nowMs, policy));
}

/** Whether a call that asked now would be let through to see whether it is back. */
export function isProbeDue(state: BreakerState, nowMs: number): boolean {
  if (state.override === 'OPEN' || state.probing) return false;
  return state.phase === 'HALF_OPEN' || (state.phase === 'OPEN' && nowMs >= (state.nextProbeAtMs ?? nowMs));
}

function ask(state: BreakerState, nowMs: number): Step {
  const admitted = (probe: boolean): BreakerEffect => ({ kind: 'admitted', probe });
  if (state.phase === 'CLOSED') return [state, ADMITTED];
  if (state.override === 'OPEN') {
    const retryAfterMs = state.overrideUntilMs === undefined ? ASK_AGAIN_MS : state.overrideUntilMs - nowMs;
    return [state, [{ kind: 'refused', retryAfterMs }]];
  }
  if (state.phase === 'OPEN') {
    const restMs = (state.nextProbeAtMs ?? nowMs) - nowMs;
    if (restMs > 0) return [state, [{ kind: 'refused', retryAfterMs: restMs }]];
    const [halfOpen, effects] = move(state, 'HALF_OPEN', nowMs, 'one call is let through to see');
    return [{ ...halfOpen, probing: true }, [...effects, admitted(true)]];
  }
  if (state.probing) return [state, [{ kind: 'refused', retryAfterMs: ASK_AGAIN_MS }]];
  return [{ ...state, probing: true }, [admitted(true)]];
}

function settle(
  state: BreakerState,
  event: Extract<BreakerEvent, { kind: 'succeeded' | 'failed' }>,
  nowMs: number,
  policy: BreakerPolicy,
): Step {
  if (event.probe && state.phase === 'HALF_OPEN') return settleProbe(state, event, nowMs, policy);
  if (state.phase !== 'CLOSED') return [state, NOTHING];
  const failed = event.kind === 'failed';
  const callers = event.callers ?? 1;
  const before = recent(state.window, nowMs, policy);
  const window = count(before, failed, callers, nowMs, policy);
  const failuresInRow = failed ? 1 + (before.length > 0 ? state.failuresInRow : 0) : 0;
  const counted = withOutcomes(state, window, failuresInRow);
  if (!failed || state.override === 'CLOSED') return [counted, NOTHING];
  const { calls, failures } = sum(window);
  const tooMany = calls >= policy.minimumCalls && failures / calls >= policy.failureRatio;
  if (!tooMany && failuresInRow < policy.failuresInRow) return [counted, NOTHING];
  return open(counted, event.reason, nowMs, policy);
}

function settleProbe(
  state: BreakerState,
  event: Extract<BreakerEvent, { kind: 'succeeded' | 'failed' }>,
  nowMs: number,
  policy: BreakerPolicy,
): Step {
  const settled = { ...state, probing: false };
  if (event.kind === 'failed') {
    return open({ ...settled, failedProbes: state.failedProbes + 1 }, event.reason, nowMs, policy);
  }
  return move({ ...settled, window: [], failuresInRow: 0, failedProbes: 0 }, 'CLOSED', nowMs, 'the probe was answered');
}

/** What others found is believed unless somebody decides here; a probe of our own decides for itself. */
function hear(
  state: BreakerState,
  { phase, reason }: Extract<BreakerEvent, { kind: 'told' }>,
  nowMs: number,
  policy: BreakerPolicy,
): Step {
  if (state.override !== 'AUTO') return [state, NOTHING];
  if (phase === 'OPEN') return state.phase === 'CLOSED' ? open(state, reason, nowMs, policy) : [state, NOTHING];
  if (state.phase === 'CLOSED') return [state, NOTHING];
  return move({ ...state, window: [], failuresInRow: 0, probing: false, failedProbes: 0 }, 'CLOSED', nowMs, reason);
}

function open(state: BreakerState, reason: string, nowMs: number, policy: BreakerPolicy): Step {
  const restMs = Math.min(policy.restMs * 2 ** state.failedProbes, policy.maxRestMs);
  const [opened, effects] = move(state, 'OPEN', nowMs, reason);
  return [{ ...opened, nextProbeAtMs: nowMs + restMs }, effects];
}

/** By force OPEN refuses all; CLOSED admits all; AUTO closes at once with an empty window. */
function force(state: BreakerState, event: Extract<BreakerEvent, { kind: 'forced' }>, nowMs: number): Step {
  const to: BreakerPhase = event.override === 'OPEN' ? 'OPEN' : 'CLOSED';
  const [moved, effects] = move(state, to, nowMs, event.reason);
  const overrideUntilMs = event.override === 'AUTO' ? undefined : event.untilMs;
  return [
    {
      ...moved,
      override: event.override,
      overrideUntilMs,
      window: [],
      failuresInRow: 0,
      probing: false,
      failedProbes: 0,
    },
    effects,
  ];
}

function move(state: BreakerState, to: BreakerPhase, nowMs: number, reason: string): Step {
  const moved = { ...state, phase: to, nextProbeAtMs: undefined, reason: to === 'CLOSED' ? undefined : reason };
  if (state.phase === to) return [moved, NOTHING];
  return [{ ...moved, sinceMs: nowMs }, [{ kind: 'moved', from: state.phase, to, reason }]];
}

function recent(window: readonly Slice[], nowMs: number, policy: BreakerPolicy): readonly Slice[] {
  const fromMs = nowMs - policy.windowMs;
  return window.length > 0 && (window[0] as Slice).startMs <= fromMs
    ? window.filter((slice) => slice.startMs > fromMs)
    : window;
}

function count(
  window: readonly Slice[],
  failed: boolean,
  callers: number,
  nowMs: number,
  policy: BreakerPolicy,
): readonly Slice[] {
  const widthMs = policy.windowMs / SLICES;
  const last = window.at(-1);
  const fresh = last === undefined || nowMs - last.startMs >= widthMs;
  const failures = failed ? callers : 0;
  const counted = window.slice();
  if (fresh) counted.push({ startMs: nowMs, calls: callers, failures });
  else {
    const sums = { startMs: last.startMs, calls: last.calls + callers, failures: last.failures + failures };
    counted[counted.length - 1] = sums;
  }
  return counted;
}

/** Written out, because every call passes here: a spread costs ten times as much. */
function withOutcomes(state: BreakerState, window: readonly Slice[], failuresInRow: number): BreakerState {
  return {
    phase: state.phase,
    override: state.override,
    overrideUntilMs: state.overrideUntilMs,
    sinceMs: state.sinceMs,
    window,
    failuresInRow,
    nextProbeAtMs: state.nextProbeAtMs,
    probing: state.probing,
    failedProbes: state.failedProbes,
    reason: state.reason,
  };
}

function sum(window: readonly Slice[]): { calls: number; failures: number } {
  let calls = 0;
  let failures = 0;
  for (const slice of window) {
    calls += slice.calls;
    failures += slice.failures;
  }
  return { calls, failures };
}
