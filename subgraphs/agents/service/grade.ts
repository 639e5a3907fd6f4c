import { HealthGrade } from '../entity/enums.ts';
import { gradeOf } from './health.ts';

/** The grade that is shown of an agent, and since when its score would be enough for a better one. */
export interface Grading {
  grade: HealthGrade;
  /** Epoch milliseconds; undefined while it is not enough. */
  risingMs: number | undefined;
}

/** A score so far above a bound is no chance. */
const MARGIN = 5;
/** How long it must be there, milliseconds; and how long without the margin. */
const RISE_MS = 10_000;
const SLOW_RISE_MS = 60_000;

const RANK: Record<HealthGrade, number> = { UNKNOWN: -1, CRITICAL: 0, DEGRADED: 1, HEALTHY: 2 };

/**
 * The grade after another score. It falls at once, and rises only when the score stays above the bound by a margin for ten
 * seconds, or above it at all for a minute: a score that trembles about a bound does not flap.
 */
export function nextGrading(before: Grading, score: number, nowMs: number): Grading {
  const { grade, risingMs } = before;
  const plain = gradeOf(score);
  if (plain === grade && risingMs === undefined) return before;
  if (grade === HealthGrade.UNKNOWN || RANK[plain] <= RANK[grade]) return { grade: plain, risingMs: undefined };
  const sinceMs = risingMs ?? nowMs;
  const safe = gradeOf(score - MARGIN);
  if (RANK[safe] > RANK[grade] && nowMs - sinceMs >= RISE_MS) return rise(safe, plain, sinceMs);
  if (nowMs - sinceMs >= SLOW_RISE_MS) return { grade: plain, risingMs: undefined };
  return { grade, risingMs: sinceMs };
}

/** A rise that stops short of what the score would be by itself goes on from there. */
const rise = (grade: HealthGrade, plain: HealthGrade, sinceMs: number): Grading => ({
  grade,
  risingMs: grade === plain ? undefined : sinceMs,
});
