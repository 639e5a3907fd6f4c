import { HealthFactor, type HealthWeight } from '../../entity/health-model.ts';

/** A factor's weight, as penalties use it. */
export type Weight = Pick<HealthWeight, 'points' | 'from' | 'to'>;
/** The weight of each factor. */
export type Weights = Readonly<Record<HealthFactor, Weight>>;

/** The built-in weights. Those of what is so or is not so have no slope: they go from 0 to 1. */
export const STANDARD_WEIGHTS: Weights = {
  SILENCE: { points: 60, from: 0, to: 1 },
  LATENESS: { points: 20, from: 0, to: 1 },
  FAILURE: { points: 70, from: 0, to: 1 },
  QUARANTINE: { points: 51, from: 0, to: 1 },
  ERRORS: { points: 60, from: 0.01, to: 0.75 },
  LATENCY: { points: 30, from: 1_000, to: 5_000 },
  CHECKS: { points: 45, from: 0, to: 3 },
  RESTARTS: { points: 20, from: 0, to: 5 },
  QUEUE: { points: 15, from: 100, to: 1_000 },
  CPU: { points: 15, from: 0.9, to: 1 },
  MEMORY: { points: 15, from: 1.25, to: 2 },
  ANOMALY: { points: 25, from: 6, to: 20 },
  SPEND: { points: 30, from: 0.8, to: 1.5 },
  DEPENDENCY: { points: 10, from: 0, to: 1 },
};

/** Weights by factor; what a list leaves out is as it is built in. */
export function weightsOf(listed: readonly HealthWeight[]): Weights {
  const given = listed.map(({ factor, points, from, to }) => [factor, { points, from, to }]);
  return { ...STANDARD_WEIGHTS, ...Object.fromEntries(given) };
}

/** Weights as a list, one for each factor. */
export function listOf(weights: Weights): HealthWeight[] {
  return Object.values(HealthFactor).map((factor) => ({ factor, ...weights[factor] }));
}

/** Points that rise from 0 at `from` to all of them at `to`. */
export function ramp(value: number, { points, from, to }: Weight): number {
  return Math.round(Math.min(1, Math.max(0, (value - from) / (to - from))) * points);
}
