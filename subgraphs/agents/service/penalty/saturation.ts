import { HealthFactor } from '../../entity/health-model.ts';
import { type HealthFacts, type Penalty, percent } from './penalty.ts';
import { ramp, type Weights } from './weights.ts';

/** Work, processor and memory that run full. */
export function saturation({ queue, cpu = 0, memoryGrowth = 1 }: HealthFacts, weights: Weights): Penalty[] {
  const { QUEUE, CPU, MEMORY } = HealthFactor;
  return [
    {
      factor: QUEUE,
      reason: 'work piles up',
      points: ramp(queue, weights.QUEUE),
      evidence: `${queue} pieces of work wait`,
    },
    {
      factor: CPU,
      reason: 'its processor is busy',
      points: ramp(cpu, weights.CPU),
      evidence: `${percent(cpu)} of a processor in the last beats`,
    },
    {
      factor: MEMORY,
      reason: 'its memory grows',
      points: ramp(memoryGrowth, weights.MEMORY),
      evidence: `it uses ${percent(memoryGrowth)} of the memory that it used in the last minutes`,
    },
  ];
}
