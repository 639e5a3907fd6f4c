/** Whence a schema comes: `file`, `discovery`, … */
export interface Proposal {
  readonly id: string;
  readonly from: string;
  /** Serve it although recorded operations break. */
  readonly force: boolean;
  /** Only read anew: what is served already is not tried on anybody. */
  readonly isSame: boolean;
}

/** How operations went on one generation while a canary ran. */
export interface Tally {
  readonly ran: number;
  readonly failed: number;
}

/** A recorded operation that the new schema would not take. */
export interface Break {
  /** Its own name, or the beginning of its text. */
  readonly operation: string;
  /** Why, as validation says. */
  readonly reason: string;
}

export interface CanaryRule {
  /** Share of requests that go to the new schema first, 0 to 1; 0: it is served to all at once. */
  readonly share: number;
  /** How long it is tried, milliseconds. */
  readonly forMs: number;
  /** Operations that it must have run before its errors are judged. */
  readonly minSamples: number;
  /** It is worse when its share of failed operations is above twice that of the current schema plus this. */
  readonly margin: number;
}

export const CANARY_RULE: CanaryRule = { share: 0.1, forMs: 30_000, minSamples: 20, margin: 0.02 };

/** A schema that was tried is watched for as long again once it is served to all. */
export interface Watch {
  readonly untilMs: number;
  /** How the schema before did while this one was tried. */
  readonly before: Tally;
}

export type SwapState =
  | { readonly phase: 'PROPOSED' | 'COMPOSED' | 'CHECKED'; readonly proposal: Proposal }
  | { readonly phase: 'CANARY'; readonly proposal: Proposal; readonly untilMs: number }
  /** One that was tried on nobody is not watched either. */
  | { readonly phase: 'CURRENT'; readonly proposal: Proposal; readonly watch?: Watch }
  | { readonly phase: 'REFUSED' | 'ROLLED_BACK'; readonly proposal: Proposal; readonly reason: string };

export type SwapEvent =
  | { readonly kind: 'composed' }
  | { readonly kind: 'checked'; readonly breaks: readonly Break[] }
  | { readonly kind: 'built' }
  | { readonly kind: 'tallied'; readonly canary: Tally; readonly current: Tally }
  | { readonly kind: 'failed'; readonly reason: string };

/** What is to be done on arriving. */
export type SwapEffect = 'check' | 'build' | 'try' | 'serve' | 'roll back' | 'go back' | 'discard';

export function proposed(proposal: Proposal): SwapState {
  return { phase: 'PROPOSED', proposal };
}

/** Whether the next schema may come: what follows is at most that this one is taken back. */
export function isSettled({ phase }: SwapState): boolean {
  return phase === 'CURRENT' || phase === 'REFUSED' || phase === 'ROLLED_BACK';
}

/**
 * A new schema's way into service: proposed, composed, checked, tried on a share of the requests, current and watched for a
 * while; or refused, or rolled back, with the reason. An event that does not belong to the state changes nothing.
 */
export function nextSwap(
  state: SwapState,
  event: SwapEvent,
  nowMs: number,
  rule: CanaryRule,
): readonly [SwapState, SwapEffect | undefined] {
  const { phase, proposal } = state;
  if (isSettled(state)) return watched(state, event, nowMs, rule);
  if (event.kind === 'failed') {
    return phase === 'CANARY'
      ? [{ phase: 'ROLLED_BACK', proposal, reason: event.reason }, 'roll back']
      : [{ phase: 'REFUSED', proposal, reason: event.reason }, 'discard'];
  }
  if (phase === 'PROPOSED' && event.kind === 'composed') return [{ phase: 'COMPOSED', proposal }, 'check'];
  if (phase === 'COMPOSED' && event.kind === 'checked') {
    const { breaks } = event;
    if (breaks.length === 0 || proposal.force) return [{ phase: 'CHECKED', proposal }, 'build'];
    return [{ phase: 'REFUSED', proposal, reason: toldBreaks(breaks) }, 'discard'];
  }
  if (phase === 'CHECKED' && event.kind === 'built') {
    if (rule.share <= 0 || proposal.isSame) return [{ phase: 'CURRENT', proposal }, 'serve'];
    return [{ phase: 'CANARY', proposal, untilMs: nowMs + rule.forMs }, 'try'];
  }
  if (state.phase === 'CANARY' && event.kind === 'tallied') {
    const { canary, current } = event;
    if (isWorse(canary, current, rule)) {
      return [{ phase: 'ROLLED_BACK', proposal, reason: toldTallies(canary, current) }, 'roll back'];
    }
    const watch = { untilMs: nowMs + rule.forMs, before: current };
    if (nowMs >= state.untilMs) return [{ phase: 'CURRENT', proposal, watch }, 'serve'];
  }
  return [state, undefined];
}

/** Few operations may have shown nothing while it was tried: all of them do. */
function watched(
  state: SwapState,
  event: SwapEvent,
  nowMs: number,
  rule: CanaryRule,
): readonly [SwapState, SwapEffect | undefined] {
  if (state.phase !== 'CURRENT' || !state.watch || event.kind !== 'tallied') return [state, undefined];
  const { proposal, watch } = state;
  if (isWorse(event.canary, watch.before, rule)) {
    return [{ phase: 'ROLLED_BACK', proposal, reason: toldTallies(event.canary, watch.before) }, 'go back'];
  }
  return nowMs < watch.untilMs ? [state, undefined] : [{ phase: 'CURRENT', proposal }, undefined];
}

function toldTallies(now: Tally, before: Tally): string {
  return `${now.failed} of ${now.ran} operations failed; ${before.failed} of ${before.ran} did with the schema before`;
}

/** Whether the new schema fails more than the current one; never known from a few operations. */
export function isWorse(canary: Tally, current: Tally, { minSamples, margin }: CanaryRule): boolean {
  if (canary.ran < minSamples) return false;
  return ratio(canary) > 2 * ratio(current) + margin;
}

function ratio({ ran, failed }: Tally): number {
  return ran === 0 ? 0 : failed / ran;
}

const TOLD_BREAKS = 10;

function toldBreaks(breaks: readonly Break[]): string {
  const told = breaks.slice(0, TOLD_BREAKS).map(({ operation, reason }) => `${operation}: ${reason}`);
  const rest = breaks.length > told.length ? [`and ${breaks.length - told.length} more`] : [];
  return [`it breaks ${breaks.length} recorded operations`, ...told, ...rest].join('\n');
}
