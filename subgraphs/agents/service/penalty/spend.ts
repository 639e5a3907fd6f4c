import { HealthFactor } from '../../entity/health-model.ts';
import { type HealthFacts, type Penalty, percent } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Money that it spends on models, against its budget of an hour. */
export function spend({ spend: spent }: HealthFacts, { SPEND }: Weights): Penalty[] {
  if (!spent) return [];
  const share = spent.usd / spent.budgetUsd;
  if (share <= SPEND.from) return [];
  const evidence = `${spent.usd.toFixed(2)} of ${spent.budgetUsd.toFixed(2)} US dollars within the hour (${percent(share)})`;
  return [{ factor: HealthFactor.SPEND, reason: 'it spends its budget', points: ramp(share, SPEND), evidence }];
}
