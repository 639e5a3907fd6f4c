import { CommandOutcome } from '../entity/enums.ts';
import { ProfileState } from '../entity/profile.ts';

/** What is known of a profile and of the command that asked for it. */
export interface ProfileFacts {
  expiresAt: Date;
  finishedAt: Date | null;
  failure: string | null;
  outcome: CommandOutcome | null;
  /** What the agent said when the command ended. */
  result: unknown;
}

/** An agent takes it within so long, or not at all: nobody looks at what ran an hour later. */
export const TAKEN_WITHIN_MS = 60_000;
/** How long it may be on its way after it was made. */
const BROUGHT_WITHIN_MS = 60_000;
/** What an SDK of either language says to a command that it does not know. */
const UNKNOWN = /knows no command/;

/** When a profile of so many seconds counts as lost. */
export function expiryOf(askedMs: number, seconds: number): Date {
  return new Date(askedMs + TAKEN_WITHIN_MS + seconds * 1_000 + BROUGHT_WITHIN_MS);
}

/** How far a profile is, and why it is no further. */
export function profileState(facts: ProfileFacts, nowMs: number): { state: ProfileState; reason: string | null } {
  const { finishedAt, failure, outcome, expiresAt } = facts;
  if (failure !== null) return { state: ProfileState.FAILED, reason: failure };
  if (finishedAt) return { state: ProfileState.DONE, reason: null };
  const said = saidIn(facts.result);
  if (outcome === CommandOutcome.REFUSED) {
    const reason = UNKNOWN.test(said) ? 'its SDK is older than profiles: bring it up to date' : said;
    return { state: ProfileState.REFUSED, reason };
  }
  if (outcome === CommandOutcome.FAILED) return { state: ProfileState.FAILED, reason: said };
  const isBegun = outcome === CommandOutcome.DONE;
  if (outcome === CommandOutcome.EXPIRED || expiresAt.getTime() <= nowMs) {
    const reason = isBegun ? 'it was begun, and nothing came of it' : 'its agent was not there to take it';
    return { state: ProfileState.EXPIRED, reason };
  }
  return { state: isBegun ? ProfileState.RUNNING : ProfileState.ASKED, reason: null };
}

/** Whether another one must wait for it. */
export function isUnderWay(state: ProfileState): boolean {
  return state === ProfileState.ASKED || state === ProfileState.RUNNING;
}

function saidIn(result: unknown): string {
  const message = (result as { message?: unknown } | null)?.message;
  return typeof message === 'string' && message ? message.slice(0, 500) : 'its agent does not say why';
}
