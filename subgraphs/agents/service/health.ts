import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { AgentState, HealthGrade } from '../entity/enums.ts';

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

/** Why an agent is taken for silent. */
export interface Suspicion {
  /** Whether the connection to its mailbox closed. */
  closed: boolean;
  /** What was seen. */
  evidence: string;
}

/** Everything a score is made of. */
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
}

export interface Penalty {
  reason: string;
  points: number;
  evidence: string;
}

export interface Health {
  score: number;
  grade: HealthGrade;
  penalties: Penalty[];
}

/** Beats that a score looks back on. */
export const WINDOW_BEATS = 5;
/** How long a restart counts against an agent, milliseconds. */
export const RESTART_MEMORY_MS = 10 * 60_000;

const MIN_REQUESTS = 5;
const FREE_ERROR_RATIO = 0.01;
const SLOW_MS = 1_000;
const LONG_QUEUE = 100;

/** One for all who are well: that is nearly everybody, at every beat. */
const WELL: Health = { score: 100, grade: HealthGrade.HEALTHY, penalties: [] };

/** How well an agent does, 0 to 100: 100 less its penalties, whose points sum exactly to what is missing. */
export function healthOf(facts: HealthFacts, nowMs: number): Health {
  if (!facts.seen) return { score: 100, grade: HealthGrade.UNKNOWN, penalties: [] };
  const found = [
    presence(facts),
    failure(facts),
    errors(facts),
    latency(facts),
    ...facts.failedChecks.slice(0, 3).map(check),
    restarts(facts, nowMs),
    queue(facts),
  ].filter((penalty) => penalty !== undefined);
  if (!found.length) return WELL;
  const penalties = within100(found);
  const score = 100 - penalties.reduce((sum, { points }) => sum + points, 0);
  return { score, grade: gradeOf(score), penalties };
}

export function gradeOf(score: number): HealthGrade {
  if (score >= 80) return HealthGrade.HEALTHY;
  return score >= 50 ? HealthGrade.DEGRADED : HealthGrade.CRITICAL;
}

/** Whether a change of health is worth telling: another grade, or a score that moved by five. */
export function isNews(before: { score: number; grade: HealthGrade }, after: Health): boolean {
  return before.grade !== after.grade || Math.abs(before.score - after.score) >= 5;
}

/** The gravest first; what does not fit into 100 is cut from the least. */
function within100(found: readonly Penalty[]): Penalty[] {
  let left = 100;
  const kept: Penalty[] = [];
  for (const penalty of [...found].sort((a, b) => b.points - a.points)) {
    const points = Math.min(left, penalty.points);
    if (points > 0) kept.push({ ...penalty, points });
    left -= points;
  }
  return kept;
}

/** Points that rise from 0 at `from` to `max` at `to`. */
function ramp(value: number, from: number, to: number, max: number): number {
  return Math.round(Math.min(1, Math.max(0, (value - from) / (to - from))) * max);
}

const AT_REST: readonly AgentState[] = [AgentState.STOPPED, AgentState.RETIRED];

function presence({ presence: is, desired, suspicion }: HealthFacts): Penalty | undefined {
  if (is === AgentPresence.ONLINE || AT_REST.includes(desired)) return undefined;
  const evidence = [`presence ${is}`, ...(suspicion ? [suspicion.evidence] : [])].join(': ');
  if (is === AgentPresence.OFFLINE) return { reason: 'its lease has ended', points: 60, evidence };
  return { reason: suspicion?.closed ? 'its connection closed' : 'a beat is missing', points: 20, evidence };
}

function failure({ state, desired }: HealthFacts): Penalty | undefined {
  if (state === AgentState.FAILED) return { reason: 'it failed', points: 70, evidence: 'state FAILED' };
  if (state === AgentState.QUARANTINED || desired === AgentState.QUARANTINED)
    return { reason: 'it is kept from work', points: 51, evidence: 'state QUARANTINED' };
  return undefined;
}

function errors({ window }: HealthFacts): Penalty | undefined {
  const requests = window.reduce((sum, beat) => sum + beat.requests, 0);
  const failed = Math.min(
    requests,
    window.reduce((sum, beat) => sum + beat.errors, 0),
  );
  const ratio = requests ? failed / requests : 0;
  const points = requests < MIN_REQUESTS ? 0 : ramp(ratio, FREE_ERROR_RATIO, 0.75, 60);
  if (!points) return undefined;
  return {
    reason: 'requests fail',
    points,
    evidence: `${failed} of ${requests} requests failed in the last ${window.length} beats (${Math.round(ratio * 100)} %)`,
  };
}

function latency({ window }: HealthFacts): Penalty | undefined {
  const timed = window.filter((beat) => beat.latencyMs !== null && beat.requests > 0);
  const requests = timed.reduce((sum, beat) => sum + beat.requests, 0);
  if (!requests) return undefined;
  const meanMs = timed.reduce((sum, beat) => sum + (beat.latencyMs as number) * beat.requests, 0) / requests;
  const points = ramp(meanMs, SLOW_MS, 5 * SLOW_MS, 30);
  if (!points) return undefined;
  return {
    reason: 'requests are slow',
    points,
    evidence: `${Math.round(meanMs)} ms on average of ${requests} requests`,
  };
}

function check({ name, message }: FailedCheck): Penalty {
  return { reason: `check ${name} fails`, points: 15, evidence: message ?? 'no message' };
}

function restarts({ restartsAtMs }: HealthFacts, nowMs: number): Penalty | undefined {
  const count = restartsAtMs.filter((atMs) => nowMs - atMs < RESTART_MEMORY_MS).length;
  if (!count) return undefined;
  return {
    reason: 'it restarts',
    points: Math.min(20, count * 4),
    evidence: `${count} restart${count === 1 ? '' : 's'} in the last 10 minutes`,
  };
}

function queue({ queue: length }: HealthFacts): Penalty | undefined {
  const points = ramp(length, LONG_QUEUE, 10 * LONG_QUEUE, 15);
  return points ? { reason: 'work piles up', points, evidence: `${length} pieces of work wait` } : undefined;
}
