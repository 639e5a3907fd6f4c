import { HealthFactor } from '../../entity/health-model.ts';
import { type HealthFacts, type Penalty, percent } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Work, processor and memory that run full. */
export function saturation({ queue, cpu = 0, memoryGrowth = 1 }: HealthFacts, weights: Weights): Penalty[] {
  const { QUEUE, CPU, MEMORY } = HealthFactor;
  const found: Penalty[] = [];
  const add = (factor: HealthFactor, value: number, reason: string, evidence: () => string) => {
    const points = ramp(value, weights[factor]);
    if (points) found.push({ factor, reason, points, evidence: evidence() });
  };
  add(QUEUE, queue, 'work piles up', () => `${queue} pieces of work wait`);
  add(CPU, cpu, 'its processor is busy', () => `${percent(cpu)} of a processor in the last beats`);
  const growth = () => `it uses ${percent(memoryGrowth)} of the memory that it used in the last minutes`;
  add(MEMORY, memoryGrowth, 'its memory grows', growth);
  return found;
}
