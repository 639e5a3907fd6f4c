import { HealthGrade } from '../entity/enums.ts';
import type { HealthMinute } from '../store/health.ts';
import { type HealthFacts, healthOf } from './health.ts';
import type { Weights } from './penalty/weights.ts';

/** How minutes would have been graded by other weights. */
export interface Trial {
  minutes: number;
  /** How many of them would have had another grade, by what it was and would have been. */
  moves: { from: HealthGrade; to: HealthGrade; minutes: number }[];
  /** The agents whose mean score would have differed the most, the greatest difference first. */
  agents: { uuid: string; minutes: number; meanScore: number; triedMeanScore: number }[];
}

const SHOWN_AGENTS = 20;

interface Sum {
  minutes: number;
  score: number;
  tried: number;
}

/** Replays minutes under other weights: each with both, so that what held then does not matter. */
export function tryWeights(minutes: readonly HealthMinute[], now: Weights, tried: Weights): Trial {
  const moves = new Map<string, number>();
  const sums = new Map<string, Sum>();
  for (const { agent, atMs, facts } of minutes) {
    const before = healthOf(facts as HealthFacts, atMs, now);
    const after = healthOf(facts as HealthFacts, atMs, tried);
    if (before.grade !== after.grade) {
      const move = `${before.grade} ${after.grade}`;
      moves.set(move, (moves.get(move) ?? 0) + 1);
    }
    const sum = sums.get(agent) ?? { minutes: 0, score: 0, tried: 0 };
    sums.set(agent, { minutes: sum.minutes + 1, score: sum.score + before.score, tried: sum.tried + after.score });
  }
  const agents = [...sums]
    .filter(([, { score, tried: other }]) => score !== other)
    .map(([uuid, sum]) => ({
      uuid,
      minutes: sum.minutes,
      meanScore: sum.score / sum.minutes,
      triedMeanScore: sum.tried / sum.minutes,
    }))
    .sort((a, b) => Math.abs(b.triedMeanScore - b.meanScore) - Math.abs(a.triedMeanScore - a.meanScore));
  return {
    minutes: minutes.length,
    moves: [...moves]
      .map(([move, count]) => {
        const [from, to] = move.split(' ') as [HealthGrade, HealthGrade];
        return { from, to, minutes: count };
      })
      .sort((a, b) => b.minutes - a.minutes),
    agents: agents.slice(0, SHOWN_AGENTS),
  };
}
