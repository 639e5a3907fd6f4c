import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { type LeaseTerms, leaseMs } from './lease.ts';

/**
 * How late an agent's beats come, learned from those that came: three numbers, whatever its past.
 * Source: Jacobson, "Congestion Avoidance and Control", 1988 (mean and deviation as RFC 6298 keeps them).
 */
export interface Rhythm {
  /** How late a beat is on average, milliseconds; negative for one that is early. */
  readonly lateMs: number;
  /** How far it strays from that on average. */
  readonly deviationMs: number;
  /** The latest of the last beats; it fades. */
  readonly peakMs: number;
}

/** How long silence is borne, from the last beat, milliseconds. */
export interface Patience {
  /** Then it is told as SUSPECT. */
  readonly suspectMs: number;
  /** Then its lease ends. */
  readonly endMs: number;
}

/** What speaks against an agent. */
export interface Silence {
  /** When it was heard last, epoch milliseconds. */
  readonly heardMs: number;
  /** When the connection to its mailbox closed; undefined while it is open, or was never there, or a beat came since. */
  readonly closedMs: number | undefined;
  /** Whether the closing was the agent's own: others went on hearing us. */
  readonly isSure: boolean;
}

const LATE_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
const PEAK_FADES = 0.98;
/** A mean deviation of a normal distribution is so much less than its standard deviation. */
const SIGMA = 1.25;
/** Later than that comes one beat of 10⁸ of a normal distribution: phi 8 of the phi accrual failure detector. */
const SUSPECT_SIGMAS = 5.6;
const END_SIGMAS = 14;
const END_PEAKS = 1.5;
/** One beat and the jitter of a busy network; an agent of any rhythm is told as SUSPECT between these. */
const SUSPECT_BEATS = [1.35, 2] as const;
/** An irregular agent's lease is at most so many times the lease. */
const LONGEST_LEASE = 2;
/** So much of a beat after its connection closed, an agent may come back on another. */
const REOPEN_BEATS = 0.5;
/** A gap below this part of the interval is a beat out of turn, and tells nothing of its rhythm. */
const OUT_OF_TURN = 0.5;

/** Of an agent that nothing is known about. */
export const NEW_RHYTHM: Rhythm = { lateMs: 0, deviationMs: 0, peakMs: 0 };

/**
 * What one more beat teaches.
 * @param gapMs since the beat before; @param everyMs what the agent was asked for
 */
export function learned(rhythm: Rhythm, gapMs: number, everyMs: number, terms: LeaseTerms): Rhythm {
  // After a lease that ended it was away: that is no rhythm.
  if (gapMs < everyMs * OUT_OF_TURN || gapMs >= leaseMs(terms) * LONGEST_LEASE) return rhythm;
  const late = gapMs - everyMs;
  const strayed = Math.abs(late - rhythm.lateMs);
  return {
    lateMs: rhythm.lateMs + (late - rhythm.lateMs) * LATE_WEIGHT,
    deviationMs: rhythm.deviationMs + (strayed - rhythm.deviationMs) * DEVIATION_WEIGHT,
    peakMs: Math.max(late, rhythm.peakMs * PEAK_FADES),
  };
}

/** How long an agent of this rhythm may be silent. */
export function patienceOf({ lateMs, deviationMs, peakMs }: Rhythm, terms: LeaseTerms): Patience {
  const { beatEveryMs } = terms;
  const [least, most] = SUSPECT_BEATS;
  const sigma = deviationMs * SIGMA;
  const lease = leaseMs(terms);
  const usual = beatEveryMs + Math.max(0, lateMs);
  return {
    suspectMs: within(usual + SUSPECT_SIGMAS * sigma, beatEveryMs * least, beatEveryMs * most),
    endMs: within(usual + Math.max(END_SIGMAS * sigma, END_PEAKS * peakMs), lease, lease * LONGEST_LEASE),
  };
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/**
 * What silence and a closed connection say. A connection that closed is told at once; it ends the lease sooner when the
 * closing was the agent's own, it did not come back on another, and the next beat is missing too.
 * @param mayEnd whether leases may end in their time now: else only after twice the time
 */
export function presenceAt(
  { heardMs, closedMs, isSure }: Silence,
  { suspectMs, endMs }: Patience,
  terms: LeaseTerms,
  nowMs: number,
  mayEnd = true,
): AgentPresence {
  const silentMs = nowMs - heardMs;
  if (silentMs >= (mayEnd ? endMs : endMs * LONGEST_LEASE)) return AgentPresence.OFFLINE;
  if (closedMs !== undefined) {
    const { beatEveryMs } = terms;
    const isMissing = silentMs >= beatEveryMs * SUSPECT_BEATS[0] && nowMs - closedMs >= beatEveryMs * REOPEN_BEATS;
    const isGone = mayEnd && isSure && isMissing;
    return isGone ? AgentPresence.OFFLINE : AgentPresence.SUSPECT;
  }
  return silentMs >= suspectMs ? AgentPresence.SUSPECT : AgentPresence.ONLINE;
}

/** Why an agent is taken for silent, in words. */
export function reasonOf({ heardMs, closedMs }: Silence, rhythm: Rhythm, everyMs: number, nowMs: number): string {
  const silent = `no beat for ${seconds(nowMs - heardMs)}`;
  if (closedMs !== undefined) return `its connection closed ${seconds(nowMs - closedMs)} ago; ${silent}`;
  const usual = seconds(everyMs + Math.max(0, rhythm.lateMs));
  return `${silent}; it beats every ${usual} ± ${seconds(rhythm.deviationMs * SIGMA)}`;
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
