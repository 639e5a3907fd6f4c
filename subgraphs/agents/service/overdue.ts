import { AgentState } from '../entity/enums.ts';

/** How long an agent may be on its way, by the state it says, milliseconds. */
export type Patience = Partial<Record<AgentState, number>>;

/** What an agent says of itself, and since when, epoch milliseconds. */
export interface Saying {
  said: AgentState;
  saidSinceMs: number;
}

/** What it says now: the same as before goes on since then. */
export function sayingOf(before: Saying, state: AgentState, nowMs: number): Saying {
  return before.said === state ? before : { said: state, saidSinceMs: nowMs };
}

/** What an agent is taken for by what it says: one that is on its way for too long has failed. */
export function reportedOf({ said, saidSinceMs }: Saying, nowMs: number, patience: Patience): AgentState {
  const limitMs = patience[said];
  return limitMs !== undefined && nowMs - saidSinceMs >= limitMs ? AgentState.FAILED : said;
}

/** Why it is taken for something else than it says, for people; undefined when it is not. */
export function overdueReason(saying: Saying, nowMs: number, patience: Patience): string | undefined {
  if (reportedOf(saying, nowMs, patience) === saying.said) return undefined;
  const seconds = Math.floor((nowMs - saying.saidSinceMs) / 1_000);
  return `it was ${saying.said} for ${seconds} s, longer than ${(patience[saying.said] as number) / 1_000} s`;
}
