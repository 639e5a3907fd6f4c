import { AgentState, HealthGrade } from '../entity/enums.ts';
import { HealthFactor } from '../entity/health-model.ts';
import { nextGrading } from './grade.ts';
import { gradeOf, type Health, type HealthFacts, healthOf } from './health.ts';
import { observedState } from './lifecycle.ts';
import type { LiveAgent, Seen } from './live.ts';
import type { Weights } from './penalty/weights.ts';
import { anomalyOf, memoryGrowthOf, spendOf } from './vitals.ts';

/** What a live agent's score is made of, were it in this state and presence. */
export function factsOf(
  live: LiveAgent,
  seen: Pick<HealthFacts, 'presence'> & { reported: AgentState },
  nowMs: number,
): HealthFacts {
  return {
    desired: live.desired,
    window: live.window,
    failedChecks: live.failedChecks,
    queue: live.queue,
    restartsAtMs: live.restartsAtMs,
    cause: live.cause,
    state: observedState(live.desired, seen.reported),
    presence: seen.presence,
    suspicion: live.suspicion,
    seen: live.heardMs !== undefined,
    cpu: live.vitals.cpu,
    memoryGrowth: memoryGrowthOf(live.vitals),
    anomaly: anomalyOf(live.vitals, live.window),
    spend: spendOf(live.vitals, live.budgetUsd, nowMs),
  };
}

/** Health of a live agent, were it in this state and presence; its grade is the one that is shown. */
export function healthNow(
  live: LiveAgent,
  seen: Pick<HealthFacts, 'presence'> & { reported: AgentState },
  nowMs: number,
  weights: Weights,
): Health {
  const health = healthOf(factsOf(live, seen, nowMs), nowMs, weights);
  if (health.grade === HealthGrade.UNKNOWN) return health;
  const { grade } = nextGrading(live.grading, health.score, nowMs);
  return grade === health.grade ? health : { ...health, grade };
}

/** What a restart does not mend: what restarts, spending and others take from a score must not ask for one. */
const NOT_MENDED: readonly (HealthFactor | undefined)[] = [
  HealthFactor.RESTARTS,
  HealthFactor.SPEND,
  HealthFactor.DEPENDENCY,
];

/** The grade by what a restart may mend. */
export function mendableGrade({ penalties }: Health): HealthGrade {
  const own = penalties.filter(({ factor }) => !NOT_MENDED.includes(factor));
  return gradeOf(100 - own.reduce((sum, { points }) => sum + points, 0));
}

/** Whether a beat that says this shows an agent at work and well. */
export const isWell = (health: Health, { reported }: Pick<Seen, 'reported'>): boolean =>
  reported === AgentState.RUNNING && gradeOf(health.score) === HealthGrade.HEALTHY;
