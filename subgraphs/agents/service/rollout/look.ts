import { RolloutPhase } from '../../entity/rollout-enums.ts';
import type { Reading } from './evidence.ts';
import { judge, type Verdict } from './gate.ts';
import type { Member } from './members.ts';
import type { AgentEvidence } from './metrics.ts';
import type { Plan } from './plan.ts';
import type { Life } from './rules.ts';

/** What was read of one member: as it was, while others got the version in this stage, since it has the version itself. */
export interface Readings {
  before: Reading;
  waiting: Reading;
  upgraded: Reading;
  /** How long it was watched on the old version in all, and how often it was restarted then. */
  old: { beats: number; restarts: number };
  isAlerting: boolean | null;
}

/** A look at the evidence: what it came to, and on how many beats. */
export interface Look {
  verdict: Verdict;
  beats: number;
}

/** The first look: so many beats of each agent on the new version. */
const FIRST_BEATS = 4;
/** The next, when there is so much more evidence. */
const GROWTH = 1.2;

/**
 * Looks at the evidence if there is enough that is new: looks cost false alarms, so their number grows as the logarithm of time only.
 * @param beatMs how far two beats are apart
 */
export function lookAt(
  plan: Plan,
  life: Life,
  members: readonly Member[],
  readings: ReadonlyMap<string, Readings>,
  beatMs: number,
): Look | null {
  const canary: AgentEvidence[] = [];
  const control: AgentEvidence[] = [];
  const old = { beats: 0, restarts: 0 };
  for (const { agent, phase, stage } of members) {
    const read = readings.get(agent);
    if (!read) continue;
    const { before, waiting, upgraded, isAlerting } = read;
    old.beats += read.old.beats;
    old.restarts += read.old.restarts;
    if (phase === RolloutPhase.WAITING) control.push({ before, after: waiting, isAlerting });
    // Who has it longer was watched in other weather.
    else if (upgraded.beats && stage === life.stage) canary.push({ before, after: upgraded, isAlerting });
  }
  const beats = canary.reduce((sum, { after }) => sum + after.beats, 0);
  const isDue = beats >= Math.max(FIRST_BEATS * canary.length, GROWTH * life.lookedBeats);
  if (!canary.length || !isDue) return null;
  return { verdict: judge({ canary, control, old }, life.looks + 1, plan.sensitivity, beatMs), beats };
}
