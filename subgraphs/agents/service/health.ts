import { HealthGrade } from '../entity/enums.ts';
import { anomaly } from './penalty/anomaly.ts';
import { checks } from './penalty/checks.ts';
import { dependency } from './penalty/dependency.ts';
import { errors } from './penalty/errors.ts';
import { latency } from './penalty/latency.ts';
import type { HealthFacts, Penalty } from './penalty/penalty.ts';
import { presence } from './penalty/presence.ts';
import { restarts } from './penalty/restarts.ts';
import { saturation } from './penalty/saturation.ts';
import { spend } from './penalty/spend.ts';
import { state } from './penalty/state.ts';
import { STANDARD_WEIGHTS, type Weights } from './penalty/weights.ts';

export type { BeatSample, FailedCheck, HealthFacts, Penalty, Suspicion } from './penalty/penalty.ts';
export { RESTART_MEMORY_MS } from './penalty/restarts.ts';

export interface Health {
  score: number;
  grade: HealthGrade;
  penalties: Penalty[];
}

/** Beats that a score looks back on. */
export const WINDOW_BEATS = 5;

const PENALTIES = [presence, state, errors, latency, checks, restarts, saturation, anomaly, spend, dependency];

/** One for all who are well: that is nearly everybody, at every beat. */
const WELL: Health = { score: 100, grade: HealthGrade.HEALTHY, penalties: [] };

/** How well an agent does, 0 to 100: 100 less its penalties, whose points sum exactly to what is missing. */
export function healthOf(facts: HealthFacts, nowMs: number, weights: Weights = STANDARD_WEIGHTS): Health {
  if (!facts.seen) return { score: 100, grade: HealthGrade.UNKNOWN, penalties: [] };
  const found = PENALTIES.flatMap((penalty) => penalty(facts, weights, nowMs));
  if (!found.length) return WELL;
  const penalties = within100(found);
  const score = 100 - penalties.reduce((sum, { points }) => sum + points, 0);
  return { score, grade: gradeOf(score), penalties };
}

/** The least score of a grade. */
export const LEAST_SCORE = { HEALTHY: 80, DEGRADED: 50 } as const;

/** What a score is by itself. What is shown of an agent changes less often: see service/grade.ts. */
export function gradeOf(score: number): HealthGrade {
  if (score >= LEAST_SCORE.HEALTHY) return HealthGrade.HEALTHY;
  return score >= LEAST_SCORE.DEGRADED ? HealthGrade.DEGRADED : HealthGrade.CRITICAL;
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
