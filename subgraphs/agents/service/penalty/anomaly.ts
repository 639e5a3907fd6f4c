import { HealthFactor } from '../../entity/health-model.ts';
import { type HealthFacts, type Penalty, percent } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** What is unlike the agent's own habit, also where it would be usual for others. */
export function anomaly({ anomaly: found }: HealthFacts, { ANOMALY }: Weights): Penalty[] {
  if (!found || found.distance <= ANOMALY.from) return [];
  const { what, distance, value, usual } = found;
  const said = (amount: number) => (what === 'latency' ? `${Math.round(amount)} ms` : percent(amount));
  return [
    {
      factor: HealthFactor.ANOMALY,
      reason: what === 'latency' ? 'it is slower than it uses to be' : 'it fails more than it uses to',
      points: ramp(distance, ANOMALY),
      evidence: `${said(value)} where ${said(usual)} is usual: ${distance.toFixed(1)} deviations`,
    },
  ];
}
