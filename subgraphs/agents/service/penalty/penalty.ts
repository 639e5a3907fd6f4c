import type { AgentPresence } from '../../../../lib/graphql/agent-presence.ts';
import type { AgentState } from '../../entity/enums.ts';
import type { HealthFactor } from '../../entity/health-model.ts';

/** What one beat told of the agent's work since the beat before. */
export interface BeatSample {
  requests: number;
  errors: number;
  latencyMs: number | null;
}

export interface FailedCheck {
  name: string;
  message: string | null;
}

/** How far something is from an agent's own habit. */
export interface Anomaly {
  what: 'latency' | 'errors';
  /** In usual deviations; see service/vitals.ts. */
  distance: number;
  /** Milliseconds, or a share. */
  value: number;
  usual: number;
}

/** What it spent within the hour, US dollars. */
export interface Spend {
  usd: number;
  budgetUsd: number;
}

/** Why an agent is taken for silent. */
export interface Suspicion {
  /** Whether the connection to its mailbox closed. */
  closed: boolean;
  /** What was seen. */
  evidence: string;
}

/** Everything a score is made of. What is absent is not known, and not held against the agent. */
export interface HealthFacts {
  state: AgentState;
  desired: AgentState;
  presence: AgentPresence;
  /** What speaks for its absence; nothing while it is heard. */
  suspicion?: Suspicion | undefined;
  /** Whether it was ever heard. */
  seen: boolean;
  /** The last beats, oldest first. */
  window: readonly BeatSample[];
  failedChecks: readonly FailedCheck[];
  /** Work that waits. */
  queue: number;
  /** Times of its restarts, epoch milliseconds. */
  restartsAtMs: readonly number[];
  /** Share of a processor over the last beats. */
  cpu?: number | undefined;
  /** Memory in use now, over what it used in the last minutes. */
  memoryGrowth?: number | undefined;
  anomaly?: Anomaly | undefined;
  spend?: Spend | undefined;
  /** The agent that its trouble comes from, when that is another. */
  cause?: { uuid: string; name: string } | undefined;
}

export interface Penalty {
  /** Absent in what was stored before factors had names. */
  factor?: HealthFactor;
  reason: string;
  points: number;
  evidence: string;
  /** uuid of another agent that it is about. */
  about?: string;
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`;
